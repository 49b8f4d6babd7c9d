import type { ImageUse, Inventory } from '../../cluster/inventory.ts';
import {
  formatReference,
  parseReference,
  type Reference,
  withDefaultTag,
} from '../../oci/reference.ts';

/** An image of the inventory whose reference is understood. */
export interface ScannedImage {
  readonly use: ImageUse;
  readonly reference: Reference;
}

/** A text in a workload that is no image reference. */
export interface StrangeImage {
  readonly use: ImageUse;
  readonly reason: string;
}

export interface ReadInventory {
  readonly images: readonly ScannedImage[];
  readonly strange: readonly StrangeImage[];
}

/** Qualifies what workloads write, as docker would: `nginx` is `docker.io/library/nginx:latest`. Sorted by reference. */
export function readInventory({ images }: Inventory): ReadInventory {
  const read: ScannedImage[] = [];
  const strange: StrangeImage[] = [];
  for (const use of images) {
    try {
      read.push({ use, reference: withDefaultTag(parseReference(use.image)) });
    } catch (error) {
      strange.push({ use, reason: (error as Error).message });
    }
  }
  const key = ({ use, reference }: ScannedImage) => `${formatReference(reference)} ${use.image}`;
  return { images: read.sort((a, b) => (key(a) < key(b) ? -1 : 1)), strange };
}
