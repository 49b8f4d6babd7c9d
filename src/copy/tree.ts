import type { Descriptor } from '../oci/descriptor.ts';
import { InvalidManifestError } from '../oci/errors.ts';
import { linksOf, MAXIMUM_DEPTH, type Manifest } from '../oci/manifest.ts';

/** A manifest with all that must be at the destination before it. */
export interface Tree {
  readonly manifest: Manifest;
  readonly children: readonly Tree[];
  readonly blobs: readonly Descriptor[];
}

/** Reads everything below a manifest; indexes may be nested. */
export async function growTree(
  manifest: Manifest,
  fetchChild: (child: Descriptor) => Promise<Manifest>,
  depth = 0,
): Promise<Tree> {
  if (depth > MAXIMUM_DEPTH)
    throw new InvalidManifestError(`its indexes are nested more than ${MAXIMUM_DEPTH} deep`);
  const { manifests, blobs } = linksOf(manifest);
  const children = await Promise.all(
    manifests.map(async (child) => growTree(await fetchChild(child), fetchChild, depth + 1)),
  );
  return { manifest, children, blobs };
}

/** Every blob of a tree, each digest once. */
export function blobsOf(tree: Tree): readonly Descriptor[] {
  const blobs = new Map<string, Descriptor>();
  const visit = ({ blobs: own, children }: Tree) => {
    for (const blob of own) if (!blobs.has(blob.digest)) blobs.set(blob.digest, blob);
    children.forEach(visit);
  };
  visit(tree);
  return [...blobs.values()];
}
