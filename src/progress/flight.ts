import type { BlobFate } from '../copy/events.ts';
import type { Task } from '../copy/task.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import { startMeter } from './meter.ts';

/** One image that is being copied, as it is shown. */
export interface FlightView {
  readonly task: Task;
  /** bytes sent, and bytes that this image has to send as far as is known */
  readonly moved: number;
  readonly total: number;
  /** how many of its blobs are at the destination, and how many it has */
  readonly placed: number;
  readonly blobs: number;
  /** the blobs of which bytes are under way */
  readonly moving: readonly Descriptor[];
  readonly rate: number | undefined;
  readonly millisecondsLeft: number | undefined;
  /** set while the image waits to be tried again */
  readonly retry: { readonly attempt: number; readonly millisecondsLeft: number } | undefined;
}

interface Moving {
  readonly blob: Descriptor;
  readonly offset: number;
}

/** One image in flight: what was sent of it, blob by blob. Offsets are absolute, so a retry only sets them back. */
export interface Flight {
  /** offsets of all blobs under way, summed */
  underWay(): number;
  /** @returns the bytes that were carried since the blob's last offset, never less than 0 */
  move(blob: Descriptor, offset: number, now: number): number;
  /** @returns as {@link Flight.move} */
  place(blob: Descriptor, fate: BlobFate, now: number): number;
  /** the image failed, and is tried again at a time */
  wait(attempt: number, until: number): void;
  restart(blobs: number, bytes: number): void;
  view(now: number): FlightView;
}

export function startFlight(task: Task, now: number): Flight {
  const meter = startMeter(now);
  const moving = new Map<Digest, Moving>();
  const placed = new Map<Digest, BlobFate>();
  let size = { blobs: 0, bytes: 0 };
  let carried = 0;
  let sent = 0;
  let spared = 0;
  let retry: { readonly attempt: number; readonly until: number } | undefined;

  function carry(blob: Descriptor, offset: number, at: number): number {
    const before = moving.get(blob.digest)?.offset ?? 0;
    const bytes = Math.max(0, offset - before);
    retry = undefined;
    carried += bytes;
    meter.note(carried, at);
    return bytes;
  }

  function underWay(): number {
    return moving.values().reduce((bytes, { offset }) => bytes + offset, 0);
  }

  return {
    underWay,
    move(blob, offset, at) {
      const reached = Math.min(Math.max(0, offset), blob.size);
      const bytes = carry(blob, reached, at);
      moving.set(blob.digest, { blob, offset: reached });
      return bytes;
    },
    place(blob, fate, at) {
      const bytes = fate === 'transferred' ? carry(blob, blob.size, at) : 0;
      moving.delete(blob.digest);
      if (placed.has(blob.digest)) return bytes;
      placed.set(blob.digest, fate);
      if (fate === 'transferred') sent += blob.size;
      else spared += blob.size;
      return bytes;
    },
    wait(attempt, until) {
      retry = { attempt, until };
    },
    restart(blobs, bytes) {
      size = { blobs, bytes };
      retry = undefined;
    },
    view(at) {
      const moved = sent + underWay();
      const total = Math.max(moved, size.bytes - spared);
      return {
        task,
        moved,
        total,
        placed: placed.size,
        blobs: Math.max(size.blobs, placed.size),
        moving: Array.from(moving.values(), ({ blob }) => blob),
        rate: meter.rate(at),
        millisecondsLeft: meter.timeFor(total - moved, at),
        retry: retry && {
          attempt: retry.attempt,
          millisecondsLeft: Math.max(0, retry.until - at),
        },
      };
    },
  };
}
