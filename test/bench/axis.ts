/** How values become places along one side of a plot. */
export interface Axis {
  /** 0 at the low end, 1 at the high one */
  readonly place: (value: number) => number;
  readonly ticks: readonly number[];
}

/** From this ratio of largest to smallest on, small values would vanish on a linear axis. */
const WIDE = 30;
const MOST_TICKS = 5;

/** An axis that holds all values: from zero, or by powers of ten where they are too far apart. */
export function axisFor(values: readonly number[]): Axis {
  const most = Math.max(...values, 0);
  const least = Math.min(...values.filter((value) => value > 0), most);
  if (most === 0) return { place: () => 0, ticks: [0] };
  return most / least > WIDE ? powers(least, most) : linear(most);
}

function linear(most: number): Axis {
  const rough = most / MOST_TICKS;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10);
  const count = Math.ceil(most / step);
  return {
    place: (value) => value / (count * step),
    ticks: Array.from({ length: count + 1 }, (_, index) => index * step),
  };
}

function powers(least: number, most: number): Axis {
  const low = Math.floor(Math.log10(least));
  const high = Math.ceil(Math.log10(most));
  return {
    place: (value) => Math.max(0, (Math.log10(value) - low) / (high - low)),
    ticks: Array.from({ length: high - low + 1 }, (_, index) => 10 ** (low + index)),
  };
}

/** A number in at most three digits that matter, for a tick. */
export function tickText(value: number): string {
  return Number(value.toPrecision(3)).toLocaleString('en-US');
}
