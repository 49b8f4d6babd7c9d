import { setTimeout as sleep } from 'node:timers/promises';
import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import { isWorthRetrying, storeErrorIn } from '../oci/errors.ts';
import { type Carrier, carrier } from './carry.ts';
import type { Ends } from './ends.ts';
import { CopyError, InterruptedError, isAbort } from './errors.ts';
import type { BlobFate, Listener, Outcome } from './events.ts';
import { type Inspect, inspector, type Step } from './plan.ts';
import { type Push, pusher } from './push.ts';
import type { Queue } from './queue.ts';
import type { Task } from './task.ts';
import { blobsOf, sizeOf, type Tree } from './tree.ts';

export interface CopyOptions {
  readonly ends: Ends;
  /** how many images are in flight at a time; those with the most bytes go first */
  readonly images: Queue;
  /** how many blobs are in flight at a time, over all images */
  readonly blobs: Queue;
  /** how often a failed image is tried again, and the pause before each time in milliseconds */
  readonly retries: number;
  readonly delayBefore: (retry: number) => number;
  readonly listener: Listener;
  readonly signal: AbortSignal;
}

type Fate = BlobFate | 'shared' | 'absent';

/** What one run needs for each of its images. */
interface Run extends CopyOptions {
  readonly inspect: Inspect;
  readonly place: Carrier['place'];
  readonly push: Push;
}

/**
 * Carries out steps as they become known. For each image: its blobs, its children, its manifest, the tag, in that order, so that
 * no tag ever points at missing content. An image that fails is an outcome; nothing is thrown for it.
 *
 * @returns an outcome for each step, in the order of the steps
 */
export async function copyAll(
  steps: readonly Promise<Step>[],
  options: CopyOptions,
): Promise<readonly Outcome[]> {
  const { ends, blobs, listener, signal } = options;
  const { place, resend } = carrier({ ends, queue: blobs, listener, signal });
  const run: Run = {
    ...options,
    inspect: inspector(ends),
    place,
    push: pusher({ ends, resend, signal }),
  };
  return Promise.all(
    steps.map(async (looking) => {
      const step = await looking;
      const outcome = await carryOut(step, run);
      if (!isLeft(outcome)) listener({ kind: 'finished', task: step.task, outcome });
      return outcome;
    }),
  );
}

async function carryOut(step: Step, run: Run): Promise<Outcome> {
  if (step.kind === 'unchanged') return skipped(step.digest, 1);
  let next = step;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await run.images.run(weightOf(next), () => attemptOnce(next, attempt, run));
    } catch (error) {
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

/** What a step may have to move, in bytes. */
function weightOf(step: Step): number {
  return step.kind === 'copy' ? sizeOf(blobsOf(step.tree)) : 0;
}

async function attemptOnce(step: Step, attempt: number, run: Run): Promise<Outcome> {
  run.signal.throwIfAborted();
  if (step.kind === 'failed' && attempt === 1) throw step.error;
  const current = step.kind === 'failed' ? await run.inspect(step.task, run.signal) : step;
  if (current.kind === 'failed') throw current.error;
  if (current.kind === 'unchanged') return skipped(current.digest, attempt);
  return copyTree(current.tree, current.task, attempt, run);
}

async function copyTree(tree: Tree, task: Task, attempts: number, run: Run): Promise<Outcome> {
  const blobs = blobsOf(tree);
  const bytes = sizeOf(blobs);
  run.listener({ kind: 'started', task, blobs: blobs.length, bytes });
  // All are waited for before the first failure is reported: nothing of an image moves on once it has failed.
  const placed = await Promise.allSettled(blobs.map((blob) => placeBlob(blob, task, run)));
  const failure = placed.find((result) => result.status === 'rejected');
  if (failure) throw failure.reason;
  await run.push(tree, task);
  const fates = placed.map((result) => (result.status === 'fulfilled' ? result.value : 'absent'));
  const { digest } = tree.manifest.descriptor;
  return {
    status: 'copied',
    sourceDigest: digest,
    destinationDigest: digest,
    bytes: sizeOf(blobs.filter((_, index) => fates[index] === 'transferred')),
    attempts,
    notes: blobs.filter((_, index) => fates[index] === 'absent').map(foreignNote),
  };
}

/** A foreign layer that neither the registry nor its own addresses hold stays an address in the manifest. */
async function placeBlob(blob: Descriptor, task: Task, run: Run): Promise<Fate> {
  try {
    return await run.place(blob, task);
  } catch (error) {
    const absent =
      error instanceof CopyError && error.side === 'source' && storeErrorIn(error)?.missing;
    if (blob.urls && absent) return 'absent';
    throw error;
  }
}

/** Whether an interruption left the task for the next run. */
function isLeft(outcome: Outcome): boolean {
  return outcome.status === 'failed' && outcome.error instanceof InterruptedError;
}

function foreignNote({ digest, urls = [] }: Descriptor): string {
  return `foreign layer ${digest} could not be fetched and stays an address in the manifest: ${urls.join(' ')}`;
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
