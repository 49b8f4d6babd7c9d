import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import { storeErrorIn } from '../oci/errors.ts';
import type { Manifest } from '../oci/manifest.ts';
import { formatName, type Reference, type RepositoryName } from '../oci/reference.ts';
import type { Destination, Source } from '../oci/store.ts';
import { at } from './errors.ts';
import type { Listener } from './events.ts';
import type { Limit } from './limit.ts';
import { Once } from './once.ts';
import type { Task } from './task.ts';
import { blobsOf, growTree, type Tree } from './tree.ts';

/** The two ends of the copies, by repository. */
export interface Ends {
  source(name: RepositoryName): Promise<Source>;
  destination(name: RepositoryName): Promise<Destination>;
}

/** What has to be done for a task. */
export type Step =
  | { readonly task: Task; readonly kind: 'unchanged'; readonly digest: Digest }
  | { readonly task: Task; readonly kind: 'copy'; readonly tree: Tree }
  | { readonly task: Task; readonly kind: 'failed'; readonly error: unknown };

/** What would move. Sizes count each blob once for each destination registry; what is there already is not known yet. */
export interface Plan {
  readonly steps: readonly Step[];
  readonly blobs: number;
  readonly bytes: number;
}

export interface PlanOptions {
  readonly ends: Ends;
  readonly limit: Limit;
  readonly listener: Listener;
  readonly signal: AbortSignal;
}

/** Looks at every task from both sides; a task that cannot be looked at is a failed step. */
export async function planAll(tasks: readonly Task[], options: PlanOptions): Promise<Plan> {
  const { limit, listener, signal } = options;
  const inspect = inspector(options.ends);
  const steps = await Promise.all(
    tasks.map((task) =>
      limit(async (): Promise<Step> => {
        const step = await inspect(task, signal).catch(
          (error: unknown): Step => ({ task, kind: 'failed', error }),
        );
        listener({ kind: 'inspected', task, images: tasks.length });
        return step;
      }),
    ),
  );
  const unique = new Map<string, Descriptor>();
  for (const step of steps)
    if (step.kind === 'copy')
      for (const blob of blobsOf(step.tree))
        unique.set(`${step.task.destination.registry}@${blob.digest}`, blob);
  const bytes = [...unique.values()].reduce((sum, { size }) => sum + size, 0);
  listener({ kind: 'planned', images: tasks.length, blobs: unique.size, bytes });
  return { steps, blobs: unique.size, bytes };
}

/** Finds out what a task needs; never gives a failed step, but throws. */
export type Inspect = (task: Task, signal: AbortSignal) => Promise<Step>;

/**
 * An inspector for one run: a manifest that several images share is fetched once.
 *
 * An image whose destination names the same digest costs one HEAD a side; a new one costs a HEAD there and
 * the GETs of its manifests here.
 */
export function inspector(ends: Ends): Inspect {
  const trees = new Once<Tree>();
  const children = new Once<Manifest>();
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
    const existing = await existingDigest(ends, task, signal);
    return at('source', task.source, async (): Promise<Step> => {
      const source = await ends.source(task.source);
      const digest =
        existing === undefined ? undefined : await digestOf(source, task.source, signal);
      if (digest !== undefined && digest === existing) return { task, kind: 'unchanged', digest };
      const version = digest ?? versionOf(task.source);
      const key = `${formatName(task.source)}@${version}`;
      const tree = await trees.run(key, () => growFrom(source, task.source, version, signal));
      return { task, kind: 'copy', tree };
    });
  };
}

async function existingDigest(
  ends: Ends,
  { destination }: Task,
  signal: AbortSignal,
): Promise<Digest | undefined> {
  return at('destination', destination, async () => {
    const end = await ends.destination(destination);
    try {
      return (await end.resolve(destination.tag ?? versionOf(destination), signal))?.digest;
    } catch (error) {
      if (!storeErrorIn(error)?.forbidden) throw error;
      // Quay answers 401, and others 403, for a repository that is not there yet; the push will tell.
      return undefined;
    }
  });
}

async function digestOf(
  source: Source,
  reference: Reference,
  signal: AbortSignal,
): Promise<Digest | undefined> {
  return reference.digest ?? (await source.resolve(versionOf(reference), signal))?.digest;
}

/** What a manifest is asked for by: the digest if there is one, as docker does, else the tag. */
function versionOf({ tag, digest }: Reference): string {
  return digest ?? tag ?? 'latest';
}
