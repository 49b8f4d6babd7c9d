/** Random numbers that come again with the same seed. */
export interface Dice {
  /** from 0, below 1 */
  next(): number;
  /** a whole number from 0, below `count` */
  below(count: number): number;
  /** whether something happens that does so once in `times` */
  once(times: number): boolean;
  pick<Value>(values: readonly Value[]): Value;
}

/** A generator of 32 bits (mulberry32): its numbers need to be many, not secret. */
export function diceOf(seed: number): Dice {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  const below = (count: number): number => Math.floor(next() * count);
  return {
    next,
    below,
    once: (times) => below(times) === 0,
    pick: (values) => values[below(values.length)] as (typeof values)[number],
  };
}
