import type { Descriptor } from '../oci/descriptor.ts';
import { InvalidManifestError } from '../oci/errors.ts';
import { linksOf, MAXIMUM_DEPTH, type Manifest } from '../oci/manifest.ts';
import { Once } from './once.ts';

/** A manifest with all that must be at the destination before it. */
export interface Tree {
  readonly manifest: Manifest;
  readonly children: readonly Tree[];
  readonly blobs: readonly Descriptor[];
}

// Real indexes have a few dozen; one that a server made up must not keep us busy for ever.
export const MAXIMUM_PARTS = 10_000;
const MAXIMUM_LAYERS = 20_000;
const MAXIMUM_BYTES = 64 * 1024 * 1024;

/**
 * Reads everything below a manifest; indexes may be nested. A child that several indexes name is read once
 * on each level, so that a few manifests which name one another cannot grow into a forest.
 *
 * @throws {InvalidManifestError} one of the manifests is broken, the nesting is too deep, or there are too many
 */
export async function growTree(
  manifest: Manifest,
  fetchChild: (child: Descriptor) => Promise<Manifest>,
): Promise<Tree> {
  const grown = new Once<Tree>();
  let parts = 0;
  let layers = 0;
  let bytes = 0;
  const grow = async (parent: Manifest, depth: number): Promise<Tree> => {
    if (depth > MAXIMUM_DEPTH)
      throw new InvalidManifestError(`its indexes are nested more than ${MAXIMUM_DEPTH} deep`);
    const { manifests, blobs } = linksOf(parent);
    parts += manifests.length;
    layers += blobs.length;
    bytes += manifests.reduce((sum, { size }) => sum + size, 0);
    if (parts > MAXIMUM_PARTS)
      throw new InvalidManifestError(`it is an index of more than ${MAXIMUM_PARTS} manifests`);
    if (layers > MAXIMUM_LAYERS)
      throw new InvalidManifestError(`it has more than ${MAXIMUM_LAYERS} layers`);
    if (bytes > MAXIMUM_BYTES)
      throw new InvalidManifestError(`its manifests have more than ${MAXIMUM_BYTES} bytes`);
    const growChild = (child: Descriptor): Promise<Tree> =>
      grown.run(`${depth} ${child.digest}`, async () => grow(await fetchChild(child), depth + 1));
    return { manifest: parent, children: await Promise.all(manifests.map(growChild)), blobs };
  };
  return grow(manifest, 0);
}

/** A tree and all trees below it, each manifest once, children before their parents. */
export function partsOf(tree: Tree): readonly Tree[] {
  const parts = new Map<string, Tree>();
  const visit = (part: Tree): void => {
    const { digest } = part.manifest.descriptor;
    if (parts.has(digest)) return;
    part.children.forEach(visit);
    parts.set(digest, part);
  };
  visit(tree);
  return [...parts.values()];
}

/** Every blob of a tree, each digest once. */
export function blobsOf(tree: Tree): readonly Descriptor[] {
  const blobs = new Map<string, Descriptor>();
  for (const part of partsOf(tree))
    for (const blob of part.blobs) if (!blobs.has(blob.digest)) blobs.set(blob.digest, blob);
  return [...blobs.values()];
}

/** Bytes of blobs in all. */
export function sizeOf(blobs: readonly Descriptor[]): number {
  return blobs.reduce((sum, { size }) => sum + size, 0);
}
