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
  const placements = new Once<BlobFate>();

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
    for (;;) {
      let mine = false;
      try {
        const home = await homes.run(`${registry}@${blob.digest}`, async () => {
          mine = true;
          return { repository, fate: await settle(blob, task) };
        });
        return mine ? home.fate : await put(blob, task, home.repository);
      } catch (error) {
        // Another image's failure is its own: this one tries for itself.
        if (mine || signal.aborted) throw error;
      }
    }
  };

  return {
    place: async (blob, task) => {
      signal.throwIfAborted();
      let mine = false;
      const fate = await placements.run(`${formatName(task.destination)}@${blob.digest}`, () => {
        mine = true;
        return placeNew(blob, task);
      });
      if (!mine) return 'shared';
      listener({ kind: 'placed', task, blob, fate });
      return fate;
    },
    resend: async (blob, task) => {
      await put(blob, task);
    },
  };
}

/** Opens a blob at its source, proves its digest on the way, and reports how far it is. */
function opener(
  blob: Descriptor,
  task: Task,
  source: Source,
  listener: Listener,
  signal: AbortSignal,
): OpenBlob {
  return async (offset) => {
    const bytes = await at('source', task.source, () => source.openBlob(blob, offset, signal));
    return counted();

    async function* counted() {
      let sent = offset;
      try {
        for await (const chunk of verified(bytes, blob.digest, blob.size)) {
          sent += chunk.byteLength;
          yield chunk;
          listener({ kind: 'moving', task, blob, offset: sent });
        }
      } catch (error) {
        await at('source', task.source, () => Promise.reject(error));
      }
    }
  };
}
