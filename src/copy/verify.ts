import type { Digest } from '../oci/digest.ts';
import { formatReference, type Reference, type RepositoryName } from '../oci/reference.ts';
import type { Source } from '../oci/store.ts';
import { at, InterruptedError, isAbort } from './errors.ts';
import { versionOf } from './existing.ts';
import type { Limit } from './limit.ts';
import { type Soundness, type SoundnessOptions, type Store, soundness } from './soundness.ts';
import type { Task } from './task.ts';

/** The two ends of what was copied, by repository; neither is written. */
export interface VerifyEnds {
  source(name: RepositoryName): Promise<Source>;
  destination(name: RepositoryName): Promise<Store>;
}

export interface VerifyOptions extends SoundnessOptions {
  readonly ends: VerifyEnds;
  /** how many images are looked into at a time */
  readonly known: Limit;
  /** called with each image as soon as it is known */
  readonly listener: (task: Task, verdict: Verdict) => void;
}

/**
 * What became of a task. `different`: the destination names another digest. `incomplete`: it names the right one, but
 * not all that belongs to it is there. `converted` is for images whose manifests were converted on their way.
 */
export type Verdict =
  | {
      readonly status: 'identical' | 'converted' | 'different';
      readonly sourceDigest: Digest;
      readonly destinationDigest: Digest;
      readonly notes: readonly string[];
    }
  | { readonly status: 'missing'; readonly sourceDigest: Digest; readonly notes: readonly string[] }
  | {
      readonly status: 'incomplete';
      readonly sourceDigest: Digest;
      readonly destinationDigest: Digest;
      /** what is missing or damaged, one line for each part */
      readonly faults: readonly string[];
      readonly notes: readonly string[];
      readonly error: IncompleteError;
    }
  | { readonly status: 'failed'; readonly error: unknown; readonly notes: readonly string[] };

export interface Verification {
  /** one for each task, in the order of the tasks */
  readonly verdicts: readonly Verdict[];
  /** unique blobs that were asked for, by repository */
  readonly blobsChecked: number;
  readonly bytesRead: number;
}

/** A destination names the right manifest and lacks, or has damaged, what stands below it. */
export class IncompleteError extends Error {
  override readonly name = 'IncompleteError';
  readonly code = 'INCOMPLETE';
  readonly hint: string;

  constructor(destination: Reference, faults: readonly string[]) {
    const [first] = faults;
    const more = faults.length - 1;
    super(`destination: ${first}${more > 0 ? `, and ${more} more` : ''}`);
    this.hint = `delete ${formatReference(destination)} and what is damaged there, then copy it again`;
  }
}

/**
 * Compares what sources name with what destinations name, and looks whether all of it is there. Nothing is written,
 * and nothing is thrown for an image.
 */
export async function verify(
  tasks: readonly Task[],
  { ends, known, listener, ...options }: VerifyOptions,
): Promise<Verification> {
  const { looks, signal } = options;
  const parts = soundness(options);
  const verifyOne = async (task: Task): Promise<Verdict> => {
    const verdict = await verdictOf(task, { ends, looks, parts, signal }).catch(
      (error: unknown): Verdict => {
        const interrupted = signal.aborted || isAbort(error);
        return { status: 'failed', error: interrupted ? new InterruptedError() : error, notes: [] };
      },
    );
    listener(task, verdict);
    return verdict;
  };
  const verdicts = await Promise.all(tasks.map((task) => known(() => verifyOne(task))));
  const { blobs, bytes } = parts.done();
  return { verdicts, blobsChecked: blobs, bytesRead: bytes };
}

interface Run extends Pick<VerifyOptions, 'ends' | 'looks' | 'signal'> {
  readonly parts: Soundness;
}

async function verdictOf(task: Task, { ends, looks, parts, signal }: Run): Promise<Verdict> {
  const { source, destination } = task;
  signal.throwIfAborted();
  const [sourceDigest, there] = await Promise.all([
    looks(() =>
      at('source', source, async () => digestOf(await ends.source(source), source, signal)),
    ),
    looks(() =>
      at('destination', destination, async () => {
        const store = await ends.destination(destination);
        const version = destination.tag ?? versionOf(destination);
        return { store, digest: (await store.resolve(version, signal))?.digest };
      }),
    ),
  ]);
  const { store, digest } = there;
  if (digest === undefined) return { status: 'missing', sourceDigest, notes: [] };
  const digests = { sourceDigest, destinationDigest: digest };
  if (digest !== sourceDigest) return { status: 'different', ...digests, notes: [] };
  const { faults, notes } = await at('destination', destination, () =>
    parts.check(digest, destination, store),
  );
  if (faults.length === 0) return { status: 'identical', ...digests, notes };
  const error = new IncompleteError(destination, faults);
  return { status: 'incomplete', ...digests, faults, notes, error };
}

/** What a source names now. One that names nothing is fetched, for what the registry says of it. */
async function digestOf(
  source: Source,
  reference: Reference,
  signal: AbortSignal,
): Promise<Digest> {
  if (reference.digest) return reference.digest;
  const version = versionOf(reference);
  const named = await source.resolve(version, signal);
  return (named ?? (await source.fetchManifest(version, signal)).descriptor).digest;
}
