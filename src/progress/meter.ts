const SAMPLE_MS = 250;
const RATE_WINDOW_MS = 5_000;
const FORECAST_WINDOW_MS = 30_000;
const SHORTEST_MS = 1_000;

interface Sample {
  readonly at: number;
  readonly bytes: number;
}

/** Measures how fast bytes go by. It has no clock: whoever uses it says what time it is, in milliseconds. */
export interface Meter {
  /** `bytes` is how many went by since the beginning; it never falls */
  note(bytes: number, now: number): void;
  /** bytes in a second during the last five seconds, undefined when it is too early to say */
  rate(now: number): number | undefined;
  /** milliseconds for `bytes` more at the pace of the last half minute, so that one slow second changes little */
  timeFor(bytes: number, now: number): number | undefined;
}

export function startMeter(start: number): Meter {
  const samples: Sample[] = [{ at: start, bytes: 0 }];
  let bytesSoFar = 0;

  function paceOver(window: number, now: number): number | undefined {
    const base = samples.findLast(({ at }) => at <= now - window);
    const elapsed = base ? window : now - start;
    if (elapsed < SHORTEST_MS) return undefined;
    return ((bytesSoFar - (base?.bytes ?? 0)) / elapsed) * 1000;
  }

  return {
    note(bytes, now) {
      bytesSoFar = bytes;
      if (now - (samples.at(-1)?.at ?? 0) < SAMPLE_MS) return;
      samples.push({ at: now, bytes });
      // One sample before the window stays: a stream that stands still must be seen to.
      while ((samples[1]?.at ?? now) <= now - FORECAST_WINDOW_MS) samples.shift();
    },
    rate: (now) => paceOver(RATE_WINDOW_MS, now),
    timeFor(bytes, now) {
      const pace = paceOver(FORECAST_WINDOW_MS, now);
      return pace ? (bytes / pace) * 1000 : undefined;
    },
  };
}
