import { stringify } from 'yaml';
import type { Unreadable } from '../../cluster/cluster.ts';
import type { Usage } from '../../cluster/inventory.ts';
import { formatReference } from '../../oci/reference.ts';
import { printable } from '../../text/printable.ts';
import { aligned } from '../table.ts';
import type { ScannedImage } from './inventory.ts';

export type Form = 'table' | 'wide' | 'json' | 'yaml' | 'name';

export interface ImageInventory {
  readonly apiVersion: 'migrate-images/v1';
  readonly kind: 'ImageInventory';
  readonly images: readonly {
    readonly image: string;
    readonly reference: string;
    readonly digest?: string;
    readonly usedBy: readonly Usage[];
    readonly destination?: string;
  }[];
  /** what could not be read, so that images may be missing */
  readonly unreadable: readonly Unreadable[];
}

export function inventoryReport(
  images: readonly ScannedImage[],
  destinations: ReadonlyMap<string, string>,
  unreadable: readonly Unreadable[],
): ImageInventory {
  return {
    apiVersion: 'migrate-images/v1',
    kind: 'ImageInventory',
    images: images.map(({ use, reference }) => {
      const destination = destinations.get(formatReference(reference));
      return {
        image: use.image,
        reference: formatReference(reference),
        ...(use.digest === undefined ? {} : { digest: use.digest }),
        usedBy: use.usedBy,
        ...(destination === undefined ? {} : { destination }),
      };
    }),
    unreadable,
  };
}

/** The inventory as text, ending with a line break. */
export function formatInventory(inventory: ImageInventory, form: Form): string {
  const { images } = inventory;
  switch (form) {
    case 'json':
      return `${JSON.stringify(inventory, undefined, 2)}\n`;
    case 'yaml':
      return stringify(inventory);
    case 'name':
      return [...new Set(images.map(({ reference }) => `${reference}\n`))].join('');
    case 'wide':
      return formatTable(WIDE_HEAD, images.flatMap(wideRows));
    case 'table':
      return formatTable(['IMAGE', 'USED BY'], images.map(shortRow));
  }
}

type Image = ImageInventory['images'][number];

const LONGEST_CELL = 1_000;
const WIDE_HEAD = ['IMAGE', 'NAMESPACE', 'KIND', 'NAME', 'CONTAINER', 'DIGEST', 'DESTINATION'];

function shortRow({ image, usedBy }: Image): readonly string[] {
  const owners = [
    ...new Set(usedBy.map(({ kind, namespace, name }) => `${namespace}/${kind}/${name}`)),
  ];
  const [first = '', ...others] = owners;
  return [image, others.length === 0 ? first : `${first} and ${others.length} more`];
}

function wideRows({ image, usedBy, digest, destination }: Image): readonly (readonly string[])[] {
  return usedBy.map(({ namespace, kind, name, container }) => [
    image,
    namespace,
    kind,
    name,
    container,
    digest ?? '<none>',
    destination ?? '<none>',
  ]);
}

/** Columns as kubectl prints them: upper-case heads, three spaces, nothing cut. */
function formatTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  // Manifests may hold any text.
  const all = [head, ...rows.map((row) => row.map((cell) => printable(cell, LONGEST_CELL)))];
  return aligned(all, '   ')
    .map((line) => `${line}\n`)
    .join('');
}
