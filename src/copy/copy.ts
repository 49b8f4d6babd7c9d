import { setTimeout as sleep } from 'node:timers/promises';
import type { Digest } from '../oci/digest.ts';
import { isWorthRetrying } from '../oci/errors.ts';
import type { Bandwidth } from './bandwidth.ts';
import { type Carrier, carrier } from './carry.ts';
import { census } from './census.ts';
import type { Ends } from './ends.ts';
import { InterruptedError, isAbort } from './errors.ts';
import type { Listener, Outcome } from './events.ts';
import type { Inspect, Step } from './inspect.ts';
import type { Limit, Room } from './limit.ts';
import { type Placed, placeAll } from './place.ts';
import { planner } from './plan.ts';
import { type Push, pusher } from './push.ts';
import type { Queue } from './queue.ts';
import type { Task } from './task.ts';
import { blobsOf, sizeOf } from './tree.ts';

export interface CopyOptions {
  readonly ends: Ends;
  /** how many images are known at a time: looked at, and not at their destination yet */
  readonly known: Room;
  /** how many images are looked at at a time */
  readonly looks: Limit;
  /** how many images are in flight at a time; those with the most bytes go first */
  readonly images: Queue;
  /** whether the blobs of images that wait for their turn may fill the lanes that those in flight leave empty */
  readonly ahead: boolean;
  /** how many blobs are in flight at a time, over all images */
  readonly blobs: Queue;
  /** the most bytes of blobs a second, in all; undefined for as many as come */
  readonly bandwidth?: Bandwidth | undefined;
  /** how often a failed image is tried again, and the pause before each time in milliseconds */
  readonly retries: number;
  readonly delayBefore: (retry: number) => number;
  readonly listener: Listener;
  readonly signal: AbortSignal;
}

type BegunCopy = Extract<Step, { kind: 'copy' }> & { readonly placed?: Promise<Placed> };
/** A step whose blobs may be on their way before the image itself is in flight. */
type Begun = Exclude<Step, { kind: 'copy' }> | BegunCopy;

/** What one run needs for each of its images. */
interface Run extends CopyOptions {
  readonly inspect: Inspect;
  readonly place: Carrier['place'];
  readonly hurry: Carrier['hurry'];
  readonly push: Push;
}

/**
 * Copies images. For each: its blobs, its children, its manifest, the tag, in that order, so that no tag ever
 * points at missing content. Images are looked at ahead of those in flight. An image that fails is an outcome;
 * nothing is thrown for it.
 *
 * @returns an outcome for each task, in the order of the tasks
 */
export async function copyAll(
  tasks: readonly Task[],
  options: CopyOptions,
): Promise<readonly Outcome[]> {
  const { ends, known, looks, blobs, bandwidth, listener, signal } = options;
  const found = census(Math.min(tasks.length, known.count));
  const carry = { ends, queue: blobs, listener, signal, census: found, bandwidth };
  const { place, hurry, resend } = carrier(carry);
  const { look, inspect } = planner(tasks.length, { ends, looks, listener, signal, census: found });
  const push = pusher({ ends, resend, signal });
  const run: Run = { ...options, inspect, place, hurry, push };
  const copyOne = async (task: Task): Promise<Outcome> => {
    const outcome = await carryOut(await look(task), run);
    if (!isLeft(outcome)) listener({ kind: 'finished', task, outcome });
    return outcome;
  };
  return Promise.all(tasks.map((task) => known(() => copyOne(task))));
}

async function carryOut(step: Step, run: Run): Promise<Outcome> {
  if (step.kind === 'unchanged') return skipped(step.digest, 1);
  let next: Begun = step.kind === 'copy' && run.ahead ? begin(step, run) : step;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await run.images.run(weightOf(next), () => attemptOnce(next, attempt, run));
    } catch (error) {
      if (next.kind === 'copy') await next.placed?.catch(() => undefined);
      if (run.signal.aborted || isAbort(error)) return failed(new InterruptedError(), attempt);
      if (attempt > run.retries || !isWorthRetrying(error, attempt)) return failed(error, attempt);
      const delayMs = run.delayBefore(attempt - 1);
      run.listener({ kind: 'retrying', task: step.task, attempt, delayMs, error });
      await sleep(delayMs, undefined, { signal: run.signal }).catch(() => undefined);
      if (run.signal.aborted) return failed(new InterruptedError(), attempt);
      next = { task: step.task, kind: 'failed', error };
    }
  }
}

/** Sends the blobs of an image before its turn has come. */
function begin(step: BegunCopy, { place }: Run): BegunCopy {
  const placed = placeAll(step.tree, step.task, place);
  // Whether it failed is asked when the image has its turn.
  placed.catch(() => undefined);
  return { ...step, placed };
}

/** What a step may have to move, in bytes. */
function weightOf(step: Begun): number {
  return step.kind === 'copy' ? sizeOf(blobsOf(step.tree)) : 0;
}

async function attemptOnce(step: Begun, attempt: number, run: Run): Promise<Outcome> {
  run.signal.throwIfAborted();
  if (step.kind === 'failed' && attempt === 1) throw step.error;
  const current = step.kind === 'failed' ? await run.inspect(step.task, run.signal) : step;
  if (current.kind === 'failed') throw current.error;
  if (current.kind === 'unchanged') return skipped(current.digest, attempt);
  return copyTree(current, attempt, run);
}

async function copyTree(step: BegunCopy, attempts: number, run: Run): Promise<Outcome> {
  const { task, tree } = step;
  const blobs = blobsOf(tree);
  run.listener({ kind: 'started', task, blobs: blobs.length, bytes: sizeOf(blobs) });
  run.hurry(blobs, task);
  const { bytes, notes } = await (step.placed ?? placeAll(tree, task, run.place));
  await run.push(tree, task);
  const { digest } = tree.manifest.descriptor;
  return {
    ...{ status: 'copied', sourceDigest: digest, destinationDigest: digest },
    ...{ bytes, attempts, notes },
  };
}

/** Whether an interruption left the task for the next run. */
function isLeft(outcome: Outcome): boolean {
  return outcome.status === 'failed' && outcome.error instanceof InterruptedError;
}

function skipped(digest: Digest, attempts: number): Outcome {
  return {
    status: 'skipped',
    sourceDigest: digest,
    destinationDigest: digest,
    bytes: 0,
    attempts,
    notes: [],
  };
}

function failed(error: unknown, attempts: number): Outcome {
  return { status: 'failed', error, attempts, notes: [] };
}
