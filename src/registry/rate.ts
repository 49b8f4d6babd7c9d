/**
 * How many requests a second go to a host: as many as it takes at first, at most `ceiling`, and less once it has
 * refused some. Times are milliseconds of any one clock.
 */
export class Rate {
  readonly #ceiling: number;
  /** requests a second; infinite until something was refused */
  #current: number;
  /** how much faster it gets with each second at first */
  #step = 0;
  #cutAt = 0;
  #grownAt = 0;
  #freeAt = 0;
  #accepted: Slice[] = [];
  #begunAt: number | undefined;

  constructor(ceiling = Number.POSITIVE_INFINITY) {
    this.#ceiling = ceiling;
    this.#current = ceiling;
  }

  get perSecond(): number {
    return this.#current;
  }

  /** When the next request may go. */
  freeAt(now: number): number {
    this.#grow(now);
    return this.#freeAt;
  }

  take(now: number): void {
    this.#begunAt ??= now;
    if (this.#current === Number.POSITIVE_INFINITY) return;
    this.#freeAt = Math.max(now, this.#freeAt) + 1000 / this.#current;
  }

  /** A request was not refused. */
  accept(now: number): void {
    const last = this.#accepted.at(-1);
    if (last && now - last.from < SLICE_MS) last.count += 1;
    else this.#accepted.push({ from: now, count: 1 });
    if (this.#accepted.length > SLICES) this.#accepted.shift();
  }

  /** Requests were refused: from now on fewer go than were accepted lately, and slowly more again. */
  cut(now: number): void {
    const accepted = this.#acceptedPerSecond(now);
    // A host that has served nobody yet says nothing about its speed.
    if (accepted === 0 && this.#current === Number.POSITIVE_INFINITY) return;
    // What was accepted says little where little was asked for.
    const known = Math.min(this.#current, Math.max(accepted, this.#current / 2));
    const reached = Number.isFinite(this.#current) ? known : Math.max(accepted, FIRST);
    this.#current = Math.max(SLOWEST, reached * CUT);
    this.#step = this.#current * GROWTH;
    this.#cutAt = now;
    this.#grownAt = now;
    this.#freeAt = Math.max(this.#freeAt, now);
  }

  #acceptedPerSecond(now: number): number {
    const recent = this.#accepted.filter(({ from }) => now - from <= WINDOW_MS);
    const count = recent.reduce((sum, slice) => sum + slice.count, 0);
    const span = Math.min(WINDOW_MS, now - (this.#begunAt ?? now));
    return (count * 1000) / Math.max(SHORTEST_SPAN_MS, span);
  }

  #grow(now: number): void {
    if (this.#step === 0) return;
    const seconds = Math.max(0, now - this.#grownAt) / 1000;
    this.#grownAt = now;
    const haste = 2 ** ((now - this.#cutAt) / HASTE_MS);
    this.#current = Math.min(this.#ceiling, this.#current + this.#step * haste * seconds);
  }
}

interface Slice {
  readonly from: number;
  count: number;
}

const SLICE_MS = 100;
const WINDOW_MS = 2_000;
const SLICES = WINDOW_MS / SLICE_MS + 1;
// A burst that a host takes at once is not what it takes for long.
const SHORTEST_SPAN_MS = 250;
// Multiplied when something is refused, added with each second: about five seconds until it is tried again.
const CUT = 0.85;
const GROWTH = 0.04;
// A refusal may have been an accident: after each such time without another one it gets faster twice as fast.
const HASTE_MS = 10_000;
const SLOWEST = 1;
// Where little was asked for, little was accepted.
const FIRST = 10;
