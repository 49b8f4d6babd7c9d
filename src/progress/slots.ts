/** Gives each of a changing set of things a place that it keeps until it is gone. */
export interface Slots<Item> {
  /**
   * The things by place: those that are gone have left, and new ones have taken the first free places. Where
   * there are more things than places, the first ones have them.
   */
  arrange(items: readonly Item[]): readonly (Item | undefined)[];
}

export function openSlots<Item>(count: number): Slots<Item> {
  let places: readonly (Item | undefined)[] = new Array<undefined>(count).fill(undefined);
  return {
    arrange(items) {
      const present = new Set(items.slice(0, count));
      const seated = new Set(places);
      const arrivals = [...present].filter((item) => !seated.has(item));
      places = places.map((item) =>
        item !== undefined && present.has(item) ? item : arrivals.shift(),
      );
      return places;
    },
  };
}
