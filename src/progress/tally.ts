import type { BlobFate, CopyEvent } from '../copy/events.ts';
import type { Task } from '../copy/task.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { type Flight, type FlightView, startFlight } from './flight.ts';
import { type Meter, startMeter } from './meter.ts';

/** How far a run is, at one moment. */
export interface TallyView {
  /** images in all, as far as is known */
  readonly images: number;
  readonly inspected: number;
  /** whether images are still being looked at: more bytes may come */
  readonly planning: boolean;
  readonly copied: number;
  readonly skipped: number;
  readonly failed: number;
  /** bytes at the destination through this run; it falls when a blob has to be sent again */
  readonly moved: number;
  /** bytes planned without those that need no sending after all; never less than `moved` */
  readonly total: number;
  readonly rate: number | undefined;
  readonly millisecondsLeft: number | undefined;
  /** in the order in which they started */
  readonly flights: readonly FlightView[];
}

/** Adds events up. It has no clock: whoever uses it says what time it is, in milliseconds. */
export interface Tally {
  note(event: CopyEvent, now: number): void;
  view(now: number): TallyView;
}

/**
 * Starts to count. The counts change in place, since a run tells of every chunk of every blob and of up to
 * hundreds of thousands of blobs; {@link Tally.view} hands out values that nobody changes.
 */
export function startTally(): Tally {
  const flights = new Map<Task, Flight>();
  const started = new Set<Task>();
  const bytes = countBytes();
  const ended = { copied: 0, skipped: 0, failed: 0 };
  let images = 0;
  let inspected = 0;
  let planned = false;
  let carried = 0;
  let meter: Meter | undefined;

  // Blobs may be on their way before their image has its turn; it is shown from then on.
  function flightOf(task: Task, now: number): Flight {
    const flight = flights.get(task) ?? startFlight(task, now);
    flights.set(task, flight);
    return flight;
  }

  function carry(more: number, now: number): void {
    if (!more) return;
    // The pace counts from the first byte, not from the planning before it.
    meter ??= startMeter(now);
    carried += more;
    meter.note(carried, now);
  }

  return {
    note(event, now) {
      switch (event.kind) {
        case 'inspected':
          inspected += 1;
          images = event.images;
          return;
        case 'planned':
          planned = true;
          images = event.images;
          bytes.plan(event.bytes);
          return;
        case 'started':
          started.add(event.task);
          return flightOf(event.task, now).restart(event.blobs, event.bytes);
        case 'moving':
          return carry(flightOf(event.task, now).move(event.blob, event.offset, now), now);
        case 'placed':
          bytes.place(event.task, event.blob, event.fate);
          return carry(flightOf(event.task, now).place(event.blob, event.fate, now), now);
        case 'retrying':
          return flights.get(event.task)?.wait(event.attempt, now + event.delayMs);
        case 'finished':
          ended[event.outcome.status] += 1;
          flights.delete(event.task);
          started.delete(event.task);
      }
    },
    view(now) {
      const underWay = flights.values().reduce((sum, flight) => sum + flight.underWay(), 0);
      const moved = bytes.sent() + underWay;
      const total = Math.max(moved, bytes.toSend());
      return {
        ...ended,
        images: Math.max(images, started.size + ended.copied + ended.skipped + ended.failed),
        inspected,
        planning: !planned && inspected > 0,
        moved,
        total,
        rate: meter?.rate(now),
        millisecondsLeft: meter?.timeFor(total - moved, now),
        flights: [...started].flatMap((task) => flights.get(task)?.view(now) ?? []),
      };
    },
  };
}

/**
 * Bytes of unique blobs. A blob is planned once for each destination registry, but is placed once for each
 * image that has it: the image that sends it counts, the others find it there.
 */
function countBytes() {
  const fates = new Map<string, 'sent' | 'spared'>();
  let planned = 0;
  let sent = 0;
  let spared = 0;
  let sentAgain = 0;
  return {
    plan(size: number): void {
      planned = size;
    },
    place(task: Task, blob: Descriptor, fate: BlobFate): void {
      const key = `${task.destination.registry}@${blob.digest}`;
      const before = fates.get(key);
      if (fate !== 'transferred') {
        if (before === undefined) spared += blob.size;
        fates.set(key, before ?? 'spared');
        return;
      }
      // A registry that refuses to mount is sent the blob for each of its repositories.
      if (before === 'sent') sentAgain += blob.size;
      if (before === 'spared') spared -= blob.size;
      sent += blob.size;
      fates.set(key, 'sent');
    },
    sent: () => sent,
    toSend: () => planned - spared + sentAgain,
  };
}
