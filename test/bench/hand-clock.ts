import type { Clock } from './relay-line.ts';

/** A clock that a test moves by hand; what is due is called in order, at its own time. */
export interface HandClock extends Clock {
  advance(milliseconds: number): void;
}

export function handClock(): HandClock {
  let now = 0;
  let calls: { readonly at: number; readonly call: () => void }[] = [];
  return {
    now: () => now,
    after: (delay, call) => void calls.push({ at: now + delay, call }),
    advance: (milliseconds) => {
      const end = now + milliseconds;
      const next = () =>
        calls.filter(({ at }) => at <= end).toSorted((first, second) => first.at - second.at)[0];
      for (let due = next(); due; due = next()) {
        const { at } = due;
        calls = calls.filter((each) => each !== due);
        now = Math.max(now, at);
        due.call();
      }
      now = end;
    },
  };
}
