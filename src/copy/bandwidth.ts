import { setTimeout as sleep } from 'node:timers/promises';

/** Waits until so many bytes may pass. */
export type Bandwidth = (bytes: number, signal: AbortSignal) => Promise<void> | undefined;

// Timers are not exact: so much may be made up for afterwards.
const SLACK_MS = 50;

/** A line that all transfers of a run share, one behind the other. */
export function bandwidthOf(bytesPerSecond: number): Bandwidth {
  let freeAt = 0;
  return (bytes, signal) => {
    const now = performance.now();
    freeAt = Math.max(freeAt, now - SLACK_MS) + (bytes / bytesPerSecond) * 1000;
    const waitMs = freeAt - now;
    return waitMs > 1 ? sleep(waitMs, undefined, { signal }).then(() => undefined) : undefined;
  };
}
