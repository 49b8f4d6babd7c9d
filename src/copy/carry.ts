import type { Descriptor } from '../oci/descriptor.ts';
import { Proof } from '../oci/proof.ts';
import { formatName } from '../oci/reference.ts';
import type { Destination, OpenBlob, Source } from '../oci/store.ts';
import type { Bandwidth } from './bandwidth.ts';
import type { Census } from './census.ts';
import type { Ends } from './ends.ts';
import { at } from './errors.ts';
import type { BlobFate, Listener } from './events.ts';
import { Once } from './once.ts';
import type { Queue, Turn } from './queue.ts';
import type { Task } from './task.ts';

export interface CarryOptions {
  readonly ends: Ends;
  /** holds every blob of the run, by size */
  readonly queue: Queue;
  readonly listener: Listener;
  readonly signal: AbortSignal;
  /** where blobs may be already */
  readonly census?: Pick<Census, 'settled' | 'candidates'> | undefined;
  readonly bandwidth?: Bandwidth | undefined;
}

/** A repository that has a blob by now, how it came there, and what was seen of its neighbors before. */
interface Home {
  readonly repository: string;
  readonly fate: BlobFate;
  /** by repository: whether it was seen to have the blob before */
  readonly seen: ReadonlyMap<string, boolean>;
}

export interface Carrier {
  /**
   * Puts a blob where a task needs it; unless the task is in a hurry, when there is nothing more urgent to do.
   * Says how it came there, or `shared` where another task's work serves this one too.
   */
  place(blob: Descriptor, task: Task): Promise<BlobFate | 'shared'>;
  /** Tells that a task waits for blobs: those that could wait until now no longer can. */
  hurry(blobs: readonly Descriptor[], task: Task): void;
  /** Sends a blob although the registry is said to have it. */
  resend(blob: Descriptor, task: Task): Promise<void>;
}

// A blob below this size is there a moment after it was begun.
const QUICK_BYTES = 64 * 1024;
const NEIGHBORS_AT_A_TIME = 8;
// A mount, or a look, takes a round trip whatever the size of the blob.
const ROUND_TRIP = 0;

/**
 * A carrier for one run. Every unique blob crosses the network once for each destination registry: the first
 * repository that needs it finds or receives it, all others mount it from there.
 *
 * A blob costs a HEAD, a POST and a PUT at first. A registry that was seen to mount a blob from the very
 * repository where it is gets one request less: the POST asks for such a mount, which answers as a HEAD would,
 * and opens the upload if the blob is not there.
 */
export function carrier(options: CarryOptions): Carrier {
  const { ends, queue, listener, signal, census, bandwidth } = options;
  /** by registry and digest */
  const homes = new Once<Home>();
  /** by repository and digest */
  const placements = new Once<{ readonly owner: Task; readonly fate: BlobFate }>();
  /** by registry: whether it mounts; undefined also while that is being found out */
  const mounting = new Map<string, boolean | undefined>();
  /** by registry: the first small blob on its way */
  const trials = new Map<string, Promise<unknown>>();
  /** by registry and digest: blobs that nobody has begun with */
  const waiting = new Map<string, Turn<unknown>>();
  const hurried = new WeakSet<Task>();
  /** by repository and digest: what was hashed of blobs that are not there yet; an upload may be gone on with */
  const proofs = new Map<string, Proof>();

  const destinationOf = ({ destination }: Task): Promise<Destination> =>
    at('destination', destination, () => ends.destination(destination));

  const put = async (blob: Descriptor, task: Task, mountFrom?: string): Promise<BlobFate> => {
    const source = await at('source', task.source, () => ends.source(task.source));
    const destination = await destinationOf(task);
    const key = placeKey(blob, task);
    const proof = proofs.get(key) ?? new Proof(blob.digest, blob.size);
    proofs.set(key, proof);
    const open = opener(blob, task, source, proof, { listener, signal, bandwidth });
    const arrival = await at('destination', task.destination, () =>
      destination.putBlob(blob, open, { mountFrom, signal }),
    );
    proofs.delete(key);
    return arrival === 'mounted' ? 'mounted' : 'transferred';
  };

  const learn = async (blob: Descriptor, task: Task): Promise<void> => {
    const { registry, repository } = task.destination;
    if (mounting.has(registry)) return;
    mounting.set(registry, undefined);
    const destination = await destinationOf(task);
    mounting.set(registry, await destination.mountBlob(blob, repository, signal));
  };

  const isThere = async (blob: Descriptor, task: Task): Promise<boolean> => {
    const destination = await destinationOf(task);
    return at('destination', task.destination, () => destination.hasBlob(blob, signal));
  };

  // Repositories that were filled by an earlier run may have what a new neighbor needs. One that does not answer is
  // taken for one that has nothing: no image fails for its neighbor.
  const look = async (blob: Descriptor, candidates: readonly string[], task: Task) => {
    const seen = new Map<string, boolean>();
    const ask = async (repository: string): Promise<void> => {
      const end = await ends.destination({ registry: task.destination.registry, repository });
      seen.set(repository, await end.hasBlob(blob, signal));
    };
    for (let at = 0; at < candidates.length; at += NEIGHBORS_AT_A_TIME) {
      const some = candidates.slice(at, at + NEIGHBORS_AT_A_TIME);
      await Promise.allSettled(some.map(ask));
      signal.throwIfAborted();
      if ([...seen.values()].includes(true)) break;
    }
    return seen;
  };

  // The first one for a registry: looks whether the blob is there, else brings it, from next door if it can.
  const settle = async (blob: Descriptor, task: Task): Promise<Home> => {
    const { source, destination } = task;
    const { registry, repository } = destination;
    const candidates = census?.candidates(blob, registry) ?? [];
    const isKnown = candidates.includes(repository);
    const others = candidates.filter((candidate) => candidate !== repository);
    const seen = await look(blob, isKnown ? [repository, ...others] : others, task);
    const home = (fate: BlobFate): Home => ({ repository, fate, seen });
    if (seen.get(repository)) return home('existing');
    const [holder] = [...seen].find(([, has]) => has) ?? [];
    if (holder !== undefined) return home(await put(blob, task, holder));
    const sameRegistry = source.registry === registry;
    if (mounting.get(registry) && !sameRegistry && !isKnown) {
      const fate = await put(blob, task, repository);
      return home(fate === 'mounted' ? 'existing' : fate);
    }
    if (!isKnown && (await isThere(blob, task))) return home('existing');
    const fate = await put(blob, task, sameRegistry ? source.repository : undefined);
    if (fate === 'transferred') await learn(blob, task);
    return home(fate);
  };

  // Whether a registry mounts is found out with the first small blob; what the other small ones then need not ask
  // is worth that moment.
  const settleInTurn = async (blob: Descriptor, task: Task): Promise<Home> => {
    const { registry } = task.destination;
    if (blob.size >= QUICK_BYTES) return settle(blob, task);
    const trial = trials.get(registry);
    if (trial) {
      await trial;
      return settle(blob, task);
    }
    const first = settle(blob, task);
    trials.set(registry, Promise.allSettled([first]));
    return first;
  };

  // A mount that is refused ends in an upload: where all are refused, it is worth a look first.
  const borrow = async (blob: Descriptor, task: Task, home: Home): Promise<BlobFate> => {
    const { registry, repository } = task.destination;
    const isPopulated = census?.candidates(blob, registry).includes(repository) ?? false;
    const isUnknown =
      !home.seen.has(repository) && (isPopulated || mounting.get(registry) === false);
    if (home.seen.get(repository) || (isUnknown && (await isThere(blob, task)))) return 'existing';
    return put(blob, task, home.repository);
  };

  const placeNew = async (blob: Descriptor, task: Task): Promise<BlobFate> => {
    const { registry } = task.destination;
    const hosts = hostsOf(task);
    const key = homeKey(blob, task);
    const { result: home, mine } = await homes.share(key, () => {
      const turn = queue.enter({
        size: blob.size,
        hosts,
        early: !hurried.has(task),
        run: () => settleInTurn(blob, task),
      });
      waiting.set(key, turn);
      return turn.result.finally(() => waiting.delete(key));
    });
    if (mine) return home.fate;
    const run = () => borrow(blob, task, home);
    return queue.enter({ size: ROUND_TRIP, hosts: [registry], run }).result;
  };

  return {
    place: async (blob, task) => {
      await census?.settled;
      const key = placeKey(blob, task);
      const { result, mine } = await placements.share(key, async () => {
        signal.throwIfAborted();
        return { owner: task, fate: await placeNew(blob, task) };
      });
      if (mine) listener({ kind: 'placed', task, blob, fate: result.fate });
      // A retry of the same image finds its own work again.
      return result.owner === task ? result.fate : 'shared';
    },
    hurry: (blobs, task) => {
      hurried.add(task);
      for (const blob of blobs) waiting.get(homeKey(blob, task))?.hurry();
    },
    resend: async (blob, task) => {
      const run = () => put(blob, task);
      const fate = await queue.enter({ size: blob.size, hosts: hostsOf(task), run }).result;
      listener({ kind: 'placed', task, blob, fate });
    },
  };
}

function homeKey({ digest }: Descriptor, { destination }: Task): string {
  return `${destination.registry}@${digest}`;
}

function placeKey({ digest }: Descriptor, { destination }: Task): string {
  return `${formatName(destination)}@${digest}`;
}

/** The hosts between which a blob moves. */
function hostsOf({ source, destination }: Task): readonly string[] {
  return [...new Set([source.registry, destination.registry])];
}

/**
 * Opens a blob at its source, proves its digest on the way, and reports how far it is. Opened again from an offset
 * on, it reads little more than what is missing.
 */
function opener(
  blob: Descriptor,
  task: Task,
  source: Source,
  proof: Proof,
  { listener, signal, bandwidth }: Pick<CarryOptions, 'listener' | 'signal' | 'bandwidth'>,
): OpenBlob {
  return async (offset, wanted = signal) => {
    const from = proof.startFor(offset);
    const bytes = await at('source', task.source, () => source.openBlob(blob, from, wanted));
    return counted();

    async function* counted() {
      let position = offset;
      try {
        for await (const chunk of proof.proven(bytes, from, offset)) {
          position += chunk.byteLength;
          await bandwidth?.(chunk.byteLength, wanted);
          yield chunk;
          listener({ kind: 'moving', task, blob, offset: position });
        }
      } catch (error) {
        await at('source', task.source, () => Promise.reject(error));
      }
    }
  };
}
