import type { Digest } from '../oci/digest.ts';
import { storeErrorIn } from '../oci/errors.ts';
import { formatName, type Reference } from '../oci/reference.ts';
import type { Destination } from '../oci/store.ts';
import type { Ends } from './ends.ts';
import { at } from './errors.ts';
import { Once } from './once.ts';
import type { Task } from './task.ts';

// A repository with more tags than this is not listed to save a few requests.
const LISTED_TAGS = 1_000;

/** What is there before a task is done. */
export interface Existing {
  /** what the destination names at the moment, if anything */
  readonly digest: Digest | undefined;
  /** whether its repository is known to hold something */
  readonly populated: boolean;
}

export type ExistingDigest = (task: Task, signal: AbortSignal) => Promise<Existing>;

/**
 * Answers for one run what destinations name. The first tag of each repository is asked for alone; if it is
 * missing the repository is probably new, and a list of its tags speaks for all the others.
 */
export function destinationDigests(ends: Ends): ExistingDigest {
  const firsts = new Once<Existing & { readonly tag: string | undefined }>();
  const lists = new Once<ReadonlySet<string> | undefined>();

  return ({ destination }, signal) =>
    at('destination', destination, async () => {
      const end = await ends.destination(destination);
      const ask = async (): Promise<Existing> => {
        const digest = await digestAt(end, destination, signal);
        return { digest, populated: digest !== undefined };
      };
      const key = formatName(destination);
      const { tag } = destination;
      // Who waits for the first answer shares its failure too: it says something of the host.
      const first = await firsts.run(key, async () => ({ tag, ...(await ask()) }));
      if (first.tag === tag) return first;
      if (first.digest !== undefined || tag === undefined) return ask();
      const tags = await lists.run(key, () => listed(end, signal));
      if (!tags || tags.has(tag)) return ask();
      return { digest: undefined, populated: tags.size > 0 };
    });
}

async function digestAt(
  end: Destination,
  destination: Reference,
  signal: AbortSignal,
): Promise<Digest | undefined> {
  try {
    return (await end.resolve(destination.tag ?? versionOf(destination), signal))?.digest;
  } catch (error) {
    if (!storeErrorIn(error)?.forbidden) throw error;
    // Quay answers 401, and others 403, for a repository that is not there yet; the push will tell.
    return undefined;
  }
}

/** All tags of a repository, none where it does not exist; undefined where they cannot be had cheaply. */
async function listed(
  end: Destination,
  signal: AbortSignal,
): Promise<ReadonlySet<string> | undefined> {
  const tags = new Set<string>();
  try {
    for await (const tag of end.listTags(signal)) {
      if (tags.size === LISTED_TAGS) return undefined;
      tags.add(tag);
    }
    return tags;
  } catch (error) {
    signal.throwIfAborted();
    return storeErrorIn(error)?.missing ? tags : undefined;
  }
}

/** What a manifest is asked for by: the digest if there is one, as docker does, else the tag. */
export function versionOf({ tag, digest }: Reference): string {
  return digest ?? tag ?? 'latest';
}
