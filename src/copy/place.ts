import type { Descriptor } from '../oci/descriptor.ts';
import { storeErrorIn } from '../oci/errors.ts';
import { printable } from '../text/printable.ts';
import type { Carrier } from './carry.ts';
import { CopyError } from './errors.ts';
import type { BlobFate } from './events.ts';
import type { Task } from './task.ts';
import { blobsOf, sizeOf, type Tree } from './tree.ts';

type Fate = BlobFate | 'shared' | 'absent';

/** What became of the blobs of one image. */
export interface Placed {
  /** bytes that were sent for it */
  readonly bytes: number;
  /** what a user should know although nothing failed */
  readonly notes: readonly string[];
}

/**
 * Puts all blobs of an image where it needs them. A failure shows when the others have ended, too: nothing of
 * an image moves on once it has failed.
 *
 * @throws the first failure
 */
export async function placeAll(tree: Tree, task: Task, place: Carrier['place']): Promise<Placed> {
  const blobs = blobsOf(tree);
  const ends = await Promise.allSettled(blobs.map((blob) => placeOne(blob, task, place)));
  const failure = ends.find((end) => end.status === 'rejected');
  if (failure) throw failure.reason;
  const having = (fate: Fate): readonly Descriptor[] =>
    blobs.filter((_, index) => {
      const end = ends[index];
      return end?.status === 'fulfilled' && end.value === fate;
    });
  return { bytes: sizeOf(having('transferred')), notes: having('absent').map(foreignNote) };
}

/** A foreign layer that neither the registry nor its own addresses hold stays an address in the manifest. */
async function placeOne(blob: Descriptor, task: Task, place: Carrier['place']): Promise<Fate> {
  try {
    return await place(blob, task);
  } catch (error) {
    const absent =
      error instanceof CopyError && error.side === 'source' && storeErrorIn(error)?.missing;
    if (blob.urls && absent) return 'absent';
    throw error;
  }
}

function foreignNote({ digest, urls = [] }: Descriptor): string {
  return `foreign layer ${digest} could not be fetched and stays an address in the manifest: ${printable(urls.join(' '))}`;
}
