import { BUFFER_MS, type Clock, type Line } from './relay-line.ts';

/** Where a flow hands its bytes on: the half of a socket that it needs. */
export interface Sink {
  write(chunk: Uint8Array, written: () => void): void;
  end(): void;
}

export interface FlowOptions {
  readonly line: Line;
  readonly clock: Clock;
  /** milliseconds that every byte is on its way, after it left the line */
  readonly delay: number;
  /** nothing leaves before: a connection that is being opened carries no bytes yet */
  readonly readyAt: number;
  readonly sink: Sink;
  /** stops and restarts the reading of what comes in */
  readonly hold: (isHeld: boolean) => void;
}

/** One direction of one connection. */
export interface Flow {
  push(chunk: Uint8Array): void;
  /** Ends the sink, behind all that is on its way. */
  end(): void;
}

/** What a receiver's kernel takes before its program reads: the most that one direction of a connection holds. */
export const WINDOW_BYTES = 4 * 1024 * 1024;

interface Parcel {
  readonly due: number;
  /** undefined: the end */
  readonly chunk: Uint8Array | undefined;
}

/** Delays bytes, lets them leave by a line, and holds the sender when the line or the receiver cannot follow. */
export function openFlow({ line, clock, delay, readyAt, sink, hold }: FlowOptions): Flow {
  const parcels: Parcel[] = [];
  let bytes = 0;
  let held = false;
  let timed = false;

  const send = (chunk: Uint8Array | undefined) => {
    const left = Math.max(line.take(chunk?.byteLength ?? 0), readyAt);
    parcels.push({ due: left + delay, chunk });
    deliver();
  };
  const deliver = () => {
    for (let first = parcels[0]; first; first = parcels[0]) {
      const early = first.due - clock.now();
      if (early > 0) return wake(early);
      parcels.shift();
      const { chunk } = first;
      if (!chunk) return sink.end();
      sink.write(chunk, () => {
        bytes -= chunk.byteLength;
        release();
      });
    }
  };
  const wake = (early: number) => {
    if (timed) return;
    timed = true;
    clock.after(early, () => {
      timed = false;
      deliver();
    });
  };
  const release = () => {
    if (!held || bytes > WINDOW_BYTES / 2) return;
    const excess = line.backlog() - BUFFER_MS;
    if (excess > 0) return clock.after(excess, release);
    held = false;
    hold(false);
  };
  return {
    push: (chunk) => {
      bytes += chunk.byteLength;
      send(chunk);
      if (held || (bytes < WINDOW_BYTES && line.backlog() <= BUFFER_MS)) return;
      held = true;
      hold(true);
      release();
    },
    end: () => send(undefined),
  };
}
