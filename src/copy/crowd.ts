import { Line } from './line.ts';

/** Something of a size that keeps hosts busy once it runs. */
export interface Waiting {
  readonly size: number;
  readonly hosts: readonly string[];
  /** whether it was started, perhaps from another crowd */
  readonly begun: boolean;
}

/** Sizes in bytes, as far as powers of two tell them apart. */
export interface Sizes {
  readonly from?: number;
  readonly below?: number;
}

/**
 * Those who wait, from which the largest that may start is taken. Sizes are told apart by powers of two,
 * within which the first to come is the first to go.
 */
export class Crowd<Item extends Waiting> {
  /** by the hosts that they need: one line for each rank of size */
  readonly #groups = new Map<string, { hosts: readonly string[]; lines: Line<Item>[] }>();
  #ranks = 0;

  add(item: Item): void {
    const key = item.hosts.join(' ');
    const group = this.#groups.get(key) ?? { hosts: item.hosts, lines: [] };
    this.#groups.set(key, group);
    const rank = rankOf(item.size);
    while (group.lines.length <= rank) group.lines.push(new Line());
    group.lines[rank]?.push(item);
    this.#ranks = Math.max(this.#ranks, rank + 1);
  }

  /** @param hasRoom - whether hosts can take one more */
  take(
    { from = 0, below = Number.POSITIVE_INFINITY }: Sizes,
    hasRoom: (hosts: readonly string[]) => boolean,
  ): Item | undefined {
    const groups = [...this.#groups.values()].filter(({ hosts }) => hasRoom(hosts));
    const last = rankOf(from);
    for (let rank = Math.min(this.#ranks, rankOf(below)) - 1; rank >= last; rank -= 1)
      for (const { lines } of groups) {
        let item = lines[rank]?.shift();
        while (item?.begun) item = lines[rank]?.shift();
        if (item) return item;
      }
    return undefined;
  }
}

/** 0 for nothing, then one more for each doubling. */
function rankOf(size: number): number {
  return size < 1 ? 0 : Math.floor(Math.log2(size)) + 1;
}
