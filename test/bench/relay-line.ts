/** Where a relay takes its time from; a test gives one that it moves by hand. Milliseconds. */
export interface Clock {
  now(): number;
  /** calls once, so many milliseconds from now or later */
  after(delay: number, call: () => void): void;
}

/** One direction of a link, shared by all connections on it: bytes leave one behind the other. */
export interface Line {
  /** Queues bytes, and says when the last of them will have left. */
  take(bytes: number): number;
  /** how many milliseconds of work wait for the line; 0 where it has no limit */
  backlog(): number;
}

/** What a router on the way would hold before it makes senders wait. */
export const BUFFER_MS = 50;

/** @param rate - bytes in a millisecond; undefined: no limit */
export function openLine(rate: number | undefined, clock: Clock): Line {
  let freeAt = 0;
  return {
    take: (bytes) => {
      const now = clock.now();
      if (rate === undefined) return now;
      freeAt = Math.max(now, freeAt) + bytes / rate;
      return freeAt;
    },
    backlog: () => Math.max(0, freeAt - clock.now()),
  };
}

export const SYSTEM_CLOCK: Clock = {
  now: () => performance.now(),
  after: (delay, call) => void setTimeout(call, delay),
};
