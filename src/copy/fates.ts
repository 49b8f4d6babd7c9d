import type { Descriptor } from '../oci/descriptor.ts';
import type { Holdings } from './holdings.ts';
import type { Task } from './task.ts';

/** An image that has to be copied, and its blobs. */
export interface Need extends Holdings {
  readonly task: Task;
  readonly blobs: readonly Descriptor[];
}

/** What becomes of the blobs of a run. Each counts once for each repository that needs it. */
export interface BlobFates {
  readonly transferred: number;
  readonly mounted: number;
  readonly existing: number;
  /** blobs, each once for each destination registry */
  readonly unique: number;
  /** bytes of those that are transferred */
  readonly bytes: number;
  /** the same bytes by image: the first that needs a blob is charged for it */
  bytesOf(need: Need): number;
  /** foreign layers of an image that stay addresses in its manifest */
  leftOf(need: Need): readonly Descriptor[];
}

/** One blob at one destination registry. */
interface Want {
  readonly blob: Descriptor;
  readonly first: Need;
  /** by repository that needs it: whether it is there */
  readonly repositories: Map<string, boolean>;
  /** whether a source that has it stands in the registry itself */
  near: boolean;
  /** whether no source has it */
  absent: boolean;
}

/**
 * Says what becomes of every blob, whatever the order in which images are copied. Where a repository of the registry
 * holds a blob, or lies beside a source that does, it is mounted wherever else it is needed. Otherwise it is
 * transferred once, and mounted from there. Registries are taken to mount.
 *
 * @param needs - in the order of their tasks
 */
export function fatesOf(needs: readonly Need[]): BlobFates {
  const wants = wantsOf(needs);
  const charges = new Map<Need, number>();
  const counts = { transferred: 0, mounted: 0, existing: 0, unique: wants.size, bytes: 0 };
  for (const { blob, first, repositories, near, absent } of wants.values()) {
    const existing = [...repositories.values()].filter((held) => held).length;
    if (existing === 0 && absent) continue;
    const transferred = existing === 0 && !near ? 1 : 0;
    counts.existing += existing;
    counts.transferred += transferred;
    counts.mounted += repositories.size - existing - transferred;
    counts.bytes += transferred * blob.size;
    charges.set(first, (charges.get(first) ?? 0) + transferred * blob.size);
  }
  return {
    ...counts,
    bytesOf: (need) => charges.get(need) ?? 0,
    leftOf: (need) =>
      need.blobs.filter((blob) => {
        const want = wants.get(keyOf(blob, need));
        return want?.absent && ![...want.repositories.values()].includes(true);
      }),
  };
}

function wantsOf(needs: readonly Need[]): ReadonlyMap<string, Want> {
  const wants = new Map<string, Want>();
  for (const need of needs)
    for (const blob of need.blobs) {
      const { source, destination } = need.task;
      const key = keyOf(blob, need);
      const want = wants.get(key) ?? newWant(blob, need);
      wants.set(key, want);
      want.repositories.set(destination.repository, need.held.has(blob.digest));
      want.near ||= source.registry === destination.registry;
      want.absent &&= need.absent.has(blob.digest);
    }
  return wants;
}

function newWant(blob: Descriptor, first: Need): Want {
  return { blob, first, repositories: new Map(), near: false, absent: true };
}

function keyOf({ digest }: Descriptor, { task }: Need): string {
  return `${task.destination.registry}@${digest}`;
}
