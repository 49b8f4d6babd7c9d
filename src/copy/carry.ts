import type { Descriptor } from '../oci/descriptor.ts';
import { verified } from '../oci/digest.ts';
import { formatName } from '../oci/reference.ts';
import type { Destination, OpenBlob, Source } from '../oci/store.ts';
import { at } from './errors.ts';
import type { BlobFate, Listener } from './events.ts';
import type { Limit } from './limit.ts';
import { Once } from './once.ts';
import type { Ends } from './plan.ts';
import type { Task } from './task.ts';

export interface CarryOptions {
  readonly ends: Ends;
  readonly limit: Limit;
  readonly listener: Listener;
  readonly signal: AbortSignal;
}

export interface Carrier {
  /** Puts a blob where a task needs it; says how it came there, or `shared` where another task's work serves this one too. */
  place(blob: Descriptor, task: Task): Promise<BlobFate | 'shared'>;
  /** Sends a blob although the registry is said to have it. */
  resend(blob: Descriptor, task: Task): Promise<void>;
}

/**
 * A carrier for one run. Every unique blob crosses the network once for each destination registry: the first
 * repository that needs it finds or receives it, all others mount it from there.
 */
export function carrier({ ends, limit, listener, signal }: CarryOptions): Carrier {
  /** by registry and digest: the repository that holds the blob */
  const homes = new Once<{ readonly repository: string; readonly fate: BlobFate }>();
  /** by repository and digest */
  const placements = new Once<{ readonly owner: Task; readonly fate: BlobFate }>();

  const put = (blob: Descriptor, task: Task, mountFrom?: string): Promise<BlobFate> =>
    limit(async () => {
      const [source, destination] = await Promise.all([
        at('source', task.source, () => ends.source(task.source)),
        at('destination', task.destination, () => ends.destination(task.destination)),
      ]);
      const open = opener(blob, task, source, listener, signal);
      const arrival = await at('destination', task.destination, () =>
        destination.putBlob(blob, open, { mountFrom, signal }),
      );
      return arrival === 'mounted' ? 'mounted' : 'transferred';
    });

  const isThere = (blob: Descriptor, task: Task): Promise<boolean> =>
    limit(() =>
      at('destination', task.destination, async () => {
        const destination: Destination = await ends.destination(task.destination);
        return destination.hasBlob(blob, signal);
      }),
    );

  // The first one for a registry: looks whether the blob is there, else brings it, from next door if it can.
  const settle = async (blob: Descriptor, task: Task): Promise<BlobFate> => {
    if (await isThere(blob, task)) return 'existing';
    const { source, destination } = task;
    return put(
      blob,
      task,
      source.registry === destination.registry ? source.repository : undefined,
    );
  };

  const placeNew = async (blob: Descriptor, task: Task): Promise<BlobFate> => {
    const { registry, repository } = task.destination;
    const { result: home, mine } = await homes.share(`${registry}@${blob.digest}`, async () => ({
      repository,
      fate: await settle(blob, task),
    }));
    return mine ? home.fate : put(blob, task, home.repository);
  };

  return {
    place: async (blob, task) => {
      const key = `${formatName(task.destination)}@${blob.digest}`;
      const { result, mine } = await placements.share(key, async () => {
        signal.throwIfAborted();
        return { owner: task, fate: await placeNew(blob, task) };
      });
      if (mine) listener({ kind: 'placed', task, blob, fate: result.fate });
      // A retry of the same image finds its own work again.
      return result.owner === task ? result.fate : 'shared';
    },
    resend: async (blob, task) => {
      await put(blob, task);
    },
  };
}

/**
 * Opens a blob at its source, proves its digest on the way, and reports how far it is. The digest is of the
 * whole: what lies before the offset is read and hashed too, but not handed on.
 */
function opener(
  blob: Descriptor,
  task: Task,
  source: Source,
  listener: Listener,
  signal: AbortSignal,
): OpenBlob {
  return async (offset, wanted = signal) => {
    const bytes = await at('source', task.source, () => source.openBlob(blob, 0, wanted));
    return counted();

    async function* counted() {
      let position = 0;
      try {
        for await (const chunk of verified(bytes, blob.digest, blob.size)) {
          const rest = chunk.subarray(Math.max(0, offset - position));
          position += chunk.byteLength;
          if (rest.byteLength === 0) continue;
          yield rest;
          listener({ kind: 'moving', task, blob, offset: position });
        }
      } catch (error) {
        await at('source', task.source, () => Promise.reject(error));
      }
    }
  };
}
