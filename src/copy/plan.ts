import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import type { Manifest } from '../oci/manifest.ts';
import { formatName, type Reference } from '../oci/reference.ts';
import type { Source } from '../oci/store.ts';
import type { Ends } from './ends.ts';
import { at } from './errors.ts';
import type { Listener } from './events.ts';
import { destinationDigests, versionOf } from './existing.ts';
import type { Limit } from './limit.ts';
import { Once } from './once.ts';
import type { Task } from './task.ts';
import { blobsOf, growTree, sizeOf, type Tree } from './tree.ts';

/** What has to be done for a task. */
export type Step =
  | { readonly task: Task; readonly kind: 'unchanged'; readonly digest: Digest }
  | { readonly task: Task; readonly kind: 'copy'; readonly tree: Tree }
  | { readonly task: Task; readonly kind: 'failed'; readonly error: unknown };

/** Steps on their way: the copy begins with those that are known while others are still looked at. */
export interface Outlook {
  /** one for each task, in the order of the tasks; none is ever rejected */
  readonly steps: readonly Promise<Step>[];
  readonly plan: Promise<Plan>;
}

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
export function planAll(tasks: readonly Task[], options: PlanOptions): Outlook {
  const { limit, listener, signal } = options;
  const inspect = inspector(options.ends);
  const steps = tasks.map((task) =>
    limit(async (): Promise<Step> => {
      const step = await inspect(task, signal).catch(
        (error: unknown): Step => ({ task, kind: 'failed', error }),
      );
      listener({ kind: 'inspected', task, images: tasks.length });
      return step;
    }),
  );
  const plan = Promise.all(steps).then((known) => planOf(known, listener));
  // Whoever waits for it hears of a failure; nobody has to wait.
  plan.catch(() => undefined);
  return { steps, plan };
}

function planOf(steps: readonly Step[], listener: Listener): Plan {
  const unique = new Map<string, Descriptor>();
  for (const step of steps)
    if (step.kind === 'copy')
      for (const blob of blobsOf(step.tree))
        unique.set(`${step.task.destination.registry}@${blob.digest}`, blob);
  const bytes = sizeOf([...unique.values()]);
  listener({ kind: 'planned', images: steps.length, blobs: unique.size, bytes });
  return { steps, blobs: unique.size, bytes };
}

/** Finds out what a task needs; never gives a failed step, but throws. */
export type Inspect = (task: Task, signal: AbortSignal) => Promise<Step>;

/**
 * An inspector for one run: a manifest that several images share is fetched once.
 *
 * An image whose destination names the same digest costs one HEAD a side; a new one costs a HEAD there and
 * the GETs of its manifests here. Where one tag of a repository is missing its tags are listed before others
 * are asked for: two requests for a new repository, however many tags it gets.
 */
export function inspector(ends: Ends): Inspect {
  const trees = new Once<Tree>();
  const children = new Once<Manifest>();
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
    const there = await existing(task, signal);
    return at('source', task.source, async (): Promise<Step> => {
      const source = await ends.source(task.source);
      const digest = there === undefined ? undefined : await digestOf(source, task.source, signal);
      if (digest !== undefined && digest === there) return { task, kind: 'unchanged', digest };
      const version = digest ?? versionOf(task.source);
      const key = `${formatName(task.source)}@${version}`;
      const tree = await trees.run(key, () => growFrom(source, task.source, version, signal));
      return { task, kind: 'copy', tree };
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
