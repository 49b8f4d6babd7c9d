import type { Digest } from '../../src/oci/digest.ts';
import { clusterSet } from './corpus-cluster.ts';
import { edgeSet } from './corpus-edge.ts';
import { makeImage, manifestsOf, type Tree } from './image.ts';
import { type Blob, makeLayer } from './layer.ts';

/** One tag that a registry is filled with, and that tools are asked to copy. */
export interface Recipe {
  readonly repository: string;
  readonly tag: string;
  readonly root: Tree;
}

export const SETS = ['cluster', 'edge', 'tags', 'big'] as const;
export type SetName = (typeof SETS)[number];
export const SCALES = ['small', 'medium', 'large'] as const;
export type Scale = (typeof SCALES)[number];

/** What a set of recipes adds up to. Bytes are those of blobs. */
export interface Totals {
  readonly images: number;
  readonly repositories: number;
  readonly manifests: number;
  readonly uniqueBlobs: number;
  readonly uniqueBytes: number;
  /** each repository's blobs counted once: what a tool sends that never mounts */
  readonly bytesByRepository: number;
  /** each image's blobs counted: what a tool sends that remembers nothing */
  readonly bytesByImage: number;
}

const FACTOR: Readonly<Record<Scale, number>> = { small: 0.03, medium: 1, large: 4 };
const MEBIBYTE = 1024 * 1024;
const BIG_BYTES: Readonly<Record<Scale, number>> = {
  small: 8 * MEBIBYTE,
  medium: 1024 * MEBIBYTE,
  large: 4096 * MEBIBYTE,
};
const TAGS = 200;

/** The images of a set, the same to the byte on every machine. */
export function makeSet(name: SetName, scale: Scale): readonly Recipe[] {
  if (name === 'cluster') return clusterSet(FACTOR[scale]);
  if (name === 'edge') return edgeSet();
  if (name === 'tags') return tagsSet();
  return layerSet(BIG_BYTES[scale]);
}

/** One repository whose 200 tags share a layer. */
function tagsSet(): readonly Recipe[] {
  const layer = makeLayer('tags', 2_000);
  return Array.from({ length: TAGS }, (_, number) => {
    const tag = `t${`${number}`.padStart(3, '0')}`;
    const root = makeImage({ label: tag, layers: [layer], docker: number % 2 === 1 });
    return { repository: 'tags/many', tag, root };
  });
}

/** One image whose only layer holds this many bytes. */
export function layerSet(bytes: number): readonly Recipe[] {
  const root = makeImage({ label: 'big', layers: [makeLayer(`big/${bytes}`, bytes)] });
  return [{ repository: `big/layer-${bytes}`, tag: '1.0', root }];
}

/** Many small images, each in a repository of its own, over a few shared bases: for growth by count. */
export function manySet(count: number): readonly Recipe[] {
  const bases = Array.from({ length: 6 }, (_, number) => makeLayer(`many/base/${number}`, 100_000));
  return Array.from({ length: count }, (_, number) => {
    const repository = `many/image-${`${number}`.padStart(5, '0')}`;
    const base = bases[number % bases.length];
    const own = [makeLayer(`${repository}/0`, 4_000), makeLayer(`${repository}/1`, 1_000)];
    const root = makeImage({ label: repository, layers: base ? [base, ...own] : own });
    return { repository, tag: '1.0', root };
  });
}

/** Every blob below a manifest, each digest once. */
export function blobsOf(root: Tree): readonly Blob[] {
  const blobs = manifestsOf(root).flatMap((tree) => tree.blobs);
  return [...new Map(blobs.map((blob) => [blob.digest, blob])).values()];
}

export function totalsOf(recipes: readonly Recipe[]): Totals {
  const manifests = new Set<Digest>();
  const unique = new Map<string, number>();
  const placed = new Map<string, number>();
  let bytesByImage = 0;
  for (const { repository, root } of recipes) {
    for (const { descriptor } of manifestsOf(root)) manifests.add(descriptor.digest);
    for (const { digest, size } of blobsOf(root)) {
      unique.set(digest, size);
      placed.set(`${repository}@${digest}`, size);
      bytesByImage += size;
    }
  }
  const sum = (sizes: Iterable<number>) => [...sizes].reduce((total, size) => total + size, 0);
  return {
    images: recipes.length,
    repositories: new Set(recipes.map(({ repository }) => repository)).size,
    manifests: manifests.size,
    uniqueBlobs: unique.size,
    uniqueBytes: sum(unique.values()),
    bytesByRepository: sum(placed.values()),
    bytesByImage,
  };
}
