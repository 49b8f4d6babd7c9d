import type { Descriptor } from '../oci/descriptor.ts';
import { storeErrorIn } from '../oci/errors.ts';
import { formatName } from '../oci/reference.ts';
import type { Destination } from '../oci/store.ts';
import type { Ends } from './ends.ts';
import { at } from './errors.ts';
import { Once } from './once.ts';
import type { Task } from './task.ts';
import { blobsOf, partsOf, type Tree } from './tree.ts';

export interface PushOptions {
  readonly ends: Ends;
  readonly resend: (blob: Descriptor, task: Task) => Promise<unknown>;
  readonly signal: AbortSignal;
}

/** Pushes the manifests of a tree whose blobs are in place: children before parents, the tag last. */
export type Push = (tree: Tree, task: Task) => Promise<void>;

/** A pusher for one run: a manifest that several images of a repository share is pushed once. */
export function pusher({ ends, resend, signal }: PushOptions): Push {
  const pushed = new Once<void>();

  const put = (tree: Tree, task: Task, tag: string | undefined): Promise<void> =>
    at('destination', task.destination, async () => {
      signal.throwIfAborted();
      const destination = await ends.destination(task.destination);
      try {
        await destination.putManifest(tree.manifest, tag, signal);
      } catch (error) {
        const mayStand = !storeErrorIn(error)?.incomplete && tag !== undefined;
        if (!mayStand || !(await isNamed(destination, tree, tag))) throw error;
      }
    });

  // A tag that cannot be moved is refused also to who moves it nowhere: an answer was lost, or somebody was faster.
  const isNamed = async (destination: Destination, { manifest }: Tree, tag: string) => {
    signal.throwIfAborted();
    const named = await destination.resolve(tag, signal).catch(() => undefined);
    return named?.digest === manifest.descriptor.digest;
  };

  const pushChildren = async ({ children }: Tree, task: Task): Promise<void> => {
    await Promise.all(children.map((child) => pushByDigest(child, task)));
  };

  const pushByDigest = async (tree: Tree, task: Task): Promise<void> => {
    const key = `${formatName(task.destination)}@${tree.manifest.descriptor.digest}`;
    await pushed.share(key, async () => {
      await pushChildren(tree, task);
      await put(tree, task, undefined);
    });
  };

  // Pull-through caches, and registries that clean up behind our back, claim to have what they lack.
  const repair = async (tree: Tree, task: Task): Promise<void> => {
    for (const blob of blobsOf(tree)) if (!blob.urls) await resend(blob, task);
    for (const part of partsOf(tree)) if (part !== tree) await put(part, task, undefined);
  };

  return async (tree, task) => {
    const { tag } = task.destination;
    try {
      await pushChildren(tree, task);
      await put(tree, task, tag);
    } catch (error) {
      if (!storeErrorIn(error)?.incomplete) throw error;
      await repair(tree, task);
      await put(tree, task, tag);
    }
  };
}
