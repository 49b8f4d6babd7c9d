export interface QueueOptions {
  /** how much is done at a time */
  readonly lanes: number;
  /** lanes beside those that only small work may use, so that it never waits behind large work */
  readonly smallLanes?: number;
  /** work below this size is small */
  readonly smallBelow?: number;
}

/** Work that waits, and the lane that it will run in. */
type Start = (lane: 'any' | 'small') => void;

/**
 * Does the largest work first, a bounded number at a time: what takes longest must not begin last. Sizes are
 * told apart by powers of two, within which the first to come is the first to go.
 */
export class Queue {
  readonly #lanes: number;
  readonly #smallLanes: number;
  readonly #smallRanks: number;
  /** by rank of size */
  readonly #waiting: Line<Start>[] = [];
  readonly #busy = { any: 0, small: 0 };

  constructor({ lanes, smallLanes = 0, smallBelow = 0 }: QueueOptions) {
    this.#lanes = lanes;
    this.#smallLanes = smallLanes;
    this.#smallRanks = rankOf(smallBelow);
  }

  /** @param size - bytes, or anything else that grows with the time that the work takes */
  run<Result>(size: number, work: () => Promise<Result>): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#lineFor(rankOf(size)).push((lane) => {
        work()
          .finally(() => {
            this.#busy[lane] -= 1;
            this.#fill();
          })
          .then(resolve, reject);
      });
      this.#fill();
    });
  }

  #fill(): void {
    while (this.#busy.any < this.#lanes && this.#startLargest('any', this.#waiting.length));
    while (this.#busy.small < this.#smallLanes && this.#startLargest('small', this.#smallRanks));
  }

  /** Starts the largest work below a rank; false where none waits. */
  #startLargest(lane: 'any' | 'small', below: number): boolean {
    for (let rank = Math.min(below, this.#waiting.length) - 1; rank >= 0; rank -= 1) {
      const start = this.#waiting[rank]?.shift();
      if (!start) continue;
      this.#busy[lane] += 1;
      start(lane);
      return true;
    }
    return false;
  }

  #lineFor(rank: number): Line<Start> {
    while (this.#waiting.length <= rank) this.#waiting.push(new Line());
    return this.#waiting[rank] as Line<Start>;
  }
}

/** 0 for nothing, then one more for each doubling. */
function rankOf(size: number): number {
  return size < 1 ? 0 : Math.floor(Math.log2(size)) + 1;
}

/** First in, first out; taking the first of an array would move all the others each time. */
class Line<Item> {
  #items: (Item | undefined)[] = [];
  #first = 0;

  push(item: Item): void {
    this.#items.push(item);
  }

  shift(): Item | undefined {
    const item = this.#items[this.#first];
    if (item === undefined) return undefined;
    this.#items[this.#first] = undefined;
    this.#first += 1;
    if (this.#first === this.#items.length) {
      this.#items = [];
      this.#first = 0;
    }
    return item;
  }
}
