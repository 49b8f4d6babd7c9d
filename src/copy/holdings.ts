import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import { storeErrorIn } from '../oci/errors.ts';
import { formatName } from '../oci/reference.ts';
import type { Destination } from '../oci/store.ts';
import type { Ends } from './ends.ts';
import { at } from './errors.ts';
import type { Limit } from './limit.ts';
import { Once } from './once.ts';
import type { Task } from './task.ts';

export interface ExamineOptions {
  readonly ends: Ends;
  /** how many questions are asked at a time */
  readonly looks: Limit;
  readonly signal: AbortSignal;
}

/** Which blobs of an image need not be sent, and which cannot. */
export interface Holdings {
  /** those that the destination repository has */
  readonly held: ReadonlySet<Digest>;
  /** foreign layers that are neither at the source nor at their own addresses */
  readonly absent: ReadonlySet<Digest>;
}

/** @param exists - whether the destination repository is known to exist */
export type Examine = (
  blobs: readonly Descriptor[],
  task: Task,
  exists: boolean,
) => Promise<Holdings>;

const NONE: ReadonlySet<Digest> = new Set();

/**
 * Asks, for one run, where blobs are, each question once, and writes nothing. A repository without any tag is
 * taken for one that does not exist: its blobs are not asked for.
 */
export function examiner({ ends, looks, signal }: ExamineOptions): Examine {
  const repositories = new Once<boolean>();
  const atDestination = new Once<boolean>();
  const atSource = new Once<boolean>();

  const existsAlready = ({ destination }: Task): Promise<boolean> =>
    repositories.run(formatName(destination), () =>
      looks(() =>
        at('destination', destination, async () =>
          hasTags(await ends.destination(destination), signal),
        ),
      ),
    );
  const isHeld = (blob: Descriptor, { destination }: Task): Promise<boolean> =>
    atDestination.run(`${formatName(destination)}@${blob.digest}`, () =>
      looks(() =>
        at('destination', destination, async () =>
          (await ends.destination(destination)).hasBlob(blob, signal),
        ),
      ),
    );
  const isAbsent = (blob: Descriptor, { source }: Task): Promise<boolean> =>
    atSource.run(`${formatName(source)}@${blob.digest}`, () =>
      looks(() =>
        at('source', source, async () => {
          try {
            const bytes = await (await ends.source(source)).openBlob(blob, 0, signal);
            for await (const _ of bytes) break;
            return false;
          } catch (error) {
            if (storeErrorIn(error)?.missing) return true;
            throw error;
          }
        }),
      ),
    );

  return async (blobs, task, exists) => {
    const ask = exists || (await existsAlready(task));
    const held = ask ? await having(blobs, (blob) => isHeld(blob, task)) : NONE;
    const foreign = blobs.filter(({ digest, urls }) => urls && !held.has(digest));
    return { held, absent: await having(foreign, (blob) => isAbsent(blob, task)) };
  };
}

async function having(
  blobs: readonly Descriptor[],
  test: (blob: Descriptor) => Promise<boolean>,
): Promise<ReadonlySet<Digest>> {
  const answers = await Promise.all(blobs.map(test));
  const found = blobs.filter((_, index) => answers[index]).map(({ digest }) => digest);
  return found.length === 0 ? NONE : new Set(found);
}

async function hasTags(destination: Destination, signal: AbortSignal): Promise<boolean> {
  try {
    for await (const _ of destination.listTags(signal)) return true;
    return false;
  } catch (error) {
    signal.throwIfAborted();
    // Where tags cannot be listed, each blob is asked for.
    return !storeErrorIn(error)?.missing;
  }
}
