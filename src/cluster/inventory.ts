import type { Digest } from '../oci/digest.ts';
import type { Unreadable } from './cluster.ts';
import type { Workload } from './workload.ts';

/** One container, of one workload, that uses an image. */
export interface Usage {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  /** name of the container, or of the volume where the image is one */
  readonly container: string;
}

/** An image as workloads write it: each spelling is one. */
export interface ImageUse {
  readonly image: string;
  /** what is running, where all pods of this spelling agree */
  readonly digest?: Digest;
  /** never empty, sorted */
  readonly usedBy: readonly Usage[];
}

export interface Inventory {
  /** sorted by spelling */
  readonly images: readonly ImageUse[];
  /** what could not be looked at, so that images may be missing */
  readonly unreadable: readonly Unreadable[];
}

interface Found {
  readonly usages: Map<string, Usage>;
  readonly digests: Set<Digest>;
}

/** Gathers what a scan finds, each thing once, in any order. */
export interface Gathering {
  use(image: string, container: string, workload: Workload): void;
  run(image: string, digest: Digest): void;
  images(): readonly ImageUse[];
}

export function gathering(): Gathering {
  const found = new Map<string, Found>();
  const of = (image: string): Found => {
    const known = found.get(image) ?? { usages: new Map(), digests: new Set() };
    found.set(image, known);
    return known;
  };
  return {
    use: (image, container, { kind, namespace, name }) => {
      const usage = { kind, namespace, name, container };
      of(image).usages.set(sortKey(usage), usage);
    },
    run: (image, digest) => of(image).digests.add(digest),
    images: () =>
      [...found]
        .filter(([, { usages }]) => usages.size > 0)
        .sort(([first], [second]) => compare(first, second))
        .map(([image, { usages, digests }]) => {
          const [digest] = digests;
          const usedBy = [...usages]
            .sort(([first], [second]) => compare(first, second))
            .map(([, usage]) => usage);
          return { image, ...(digest && digests.size === 1 ? { digest } : {}), usedBy };
        }),
  };
}

export function sortUnreadable(unreadable: readonly Unreadable[]): readonly Unreadable[] {
  return unreadable.toSorted(
    (first, second) =>
      compare(first.resource, second.resource) ||
      compare(first.namespace ?? '', second.namespace ?? ''),
  );
}

function sortKey({ namespace, kind, name, container }: Usage): string {
  return [namespace, kind, name, container].join('\0');
}

// By code units, whatever the locale: two scans have to diff cleanly on any machine.
function compare(first: string, second: string): number {
  if (first === second) return 0;
  return first < second ? -1 : 1;
}
