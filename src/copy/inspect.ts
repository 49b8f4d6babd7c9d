import type { Digest } from '../oci/digest.ts';
import type { Manifest } from '../oci/manifest.ts';
import { formatName, type Reference } from '../oci/reference.ts';
import type { Source } from '../oci/store.ts';
import type { Ends } from './ends.ts';
import { at } from './errors.ts';
import { destinationDigests, versionOf } from './existing.ts';
import { Once } from './once.ts';
import type { Task } from './task.ts';
import { growTree, type Tree } from './tree.ts';

/** What has to be done for a task. */
export type Step =
  | { readonly task: Task; readonly kind: 'unchanged'; readonly digest: Digest }
  | {
      readonly task: Task;
      readonly kind: 'copy';
      readonly tree: Tree;
      /** what the destination names now, if anything */
      readonly existing?: Digest;
    }
  | { readonly task: Task; readonly kind: 'failed'; readonly error: unknown };

// Images that share manifests stand near one another; a long run must not hold all that it read.
const REMEMBERED_MANIFESTS = 250;

/** Finds out what a task needs; never gives a failed step, but throws. */
export type Inspect = (task: Task, signal: AbortSignal) => Promise<Step>;

/** Told what a destination has, before anything else is known of a task. */
type Asked = (task: Task, populated: boolean) => void;

/**
 * An inspector for one run: a manifest that several images share is fetched once.
 *
 * An image whose destination names the same digest costs one HEAD a side; a new one costs a HEAD there and
 * the GETs of its manifests here. Where one tag of a repository is missing its tags are listed before others
 * are asked for: two requests for a new repository, however many tags it gets.
 */
export function inspector(ends: Ends, onAsked: Asked = () => undefined): Inspect {
  const trees = new Once<Tree>(REMEMBERED_MANIFESTS);
  const children = new Once<Manifest>(REMEMBERED_MANIFESTS);
  const existing = destinationDigests(ends);
  const growFrom = async (
    source: Source,
    reference: Reference,
    version: string,
    signal: AbortSignal,
  ) => {
    const root = await source.fetchManifest(version, signal);
    return growTree(root, ({ digest }) =>
      children.run(`${formatName(reference)}@${digest}`, () =>
        source.fetchManifest(digest, signal),
      ),
    );
  };

  return async (task, signal) => {
    signal.throwIfAborted();
    // A registry that is opened may have to be found first: both at once.
    const opening = ends.source(task.source);
    opening.catch(() => undefined);
    const { digest: there, populated } = await existing(task, signal);
    onAsked(task, populated);
    return at('source', task.source, async (): Promise<Step> => {
      const source = await opening;
      const digest = there === undefined ? undefined : await digestOf(source, task.source, signal);
      if (digest !== undefined && digest === there) return { task, kind: 'unchanged', digest };
      const version = digest ?? versionOf(task.source);
      const key = `${formatName(task.source)}@${version}`;
      const tree = await trees.run(key, () => growFrom(source, task.source, version, signal));
      return { task, kind: 'copy', tree, ...(there === undefined ? {} : { existing: there }) };
    });
  };
}

async function digestOf(
  source: Source,
  reference: Reference,
  signal: AbortSignal,
): Promise<Digest | undefined> {
  return reference.digest ?? (await source.resolve(versionOf(reference), signal))?.digest;
}
