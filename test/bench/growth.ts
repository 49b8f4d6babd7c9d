import { layerSet, makeSet, manySet, type Scale } from './corpus.ts';
import { type Job, jobOf } from './job.ts';
import type { Trial } from './trial.ts';

/** What a growth run may vary, and through which values. Rates are megabits in a second, 0 is no limit. */
export const AXES = {
  images: [38, 1_000, 10_000],
  workers: [1, 2, 4, 8, 16, 32, 64],
  rtt: [0, 10, 20, 50, 100, 200],
  rate: [10, 50, 100, 200, 1_000, 0],
  layer: [1, 16, 256, 1_024],
} as const satisfies Readonly<Record<string, readonly number[]>>;
export type Axis = keyof typeof AXES;

export interface GrowthOptions {
  readonly scale: Scale;
  readonly workers: number;
  readonly roundTripMs: number;
  readonly bitsPerSecond: number | undefined;
}

const MEBIBYTE = 1024 * 1024;

/**
 * The trials along one axis; whatever is not varied is as the options say.
 *
 * @param values - undefined: those of {@link AXES}
 */
export function growthTrials(
  axis: Axis,
  values: readonly number[] | undefined,
  options: GrowthOptions,
): readonly Trial[] {
  const { scale } = options;
  const cluster = axis === 'images' || axis === 'layer' ? [] : makeSet('cluster', scale);
  const jobAt = (value: number): Job => {
    if (axis === 'images') return jobOf('images', manySet(value));
    if (axis === 'layer') return jobOf('layer', layerSet(value * MEBIBYTE));
    return jobOf('cluster', cluster);
  };
  return (values ?? AXES[axis]).map((value): Trial => {
    const bitsPerSecond = axis === 'rate' ? value * 1e6 || undefined : options.bitsPerSecond;
    const roundTripMs = axis === 'rtt' ? value : options.roundTripMs;
    const hasLink = roundTripMs > 0 || bitsPerSecond !== undefined;
    return {
      job: jobAt(value),
      link: hasLink ? { roundTripMs, bitsPerSecond } : undefined,
      workers: axis === 'workers' ? value : options.workers,
      point: { axis, value },
    };
  });
}
