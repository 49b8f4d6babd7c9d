/**
 * How many requests to a host are under way at a time: any number at first, fewer once it has refused some, and
 * one more again with each round that goes well.
 */
export class Crowding {
  #limit: number;
  #underWay = 0;

  constructor(limit = Number.POSITIVE_INFINITY) {
    this.#limit = limit;
  }

  get isFull(): boolean {
    return this.#underWay >= Math.floor(this.#limit);
  }

  enter(): void {
    this.#underWay += 1;
  }

  leave(): void {
    this.#underWay -= 1;
  }

  accept(): void {
    if (this.#limit >= UNLIMITED) this.#limit = Number.POSITIVE_INFINITY;
    else this.#limit += 1 / this.#limit;
  }

  /** Those that are under way were too many. */
  cut(): void {
    this.#limit = Math.max(1, Math.min(this.#limit, this.#underWay) * CUT);
  }
}

const CUT = 0.7;
// As many connections as there are at most.
const UNLIMITED = 64;
