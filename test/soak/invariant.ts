import { digestOf } from '../../src/oci/digest.ts';
import { linksOf } from '../../src/oci/manifest.ts';
import type { RegistryStore, StoredRepository } from '../support/registry-store.ts';

/**
 * What is wrong with what tags name, one line each: something is missing in their repository, or its bytes are not
 * those of its digest.
 *
 * @param published - the digests that a tag may name, by repository and tag
 */
export function violations(
  store: RegistryStore,
  published: ReadonlyMap<string, readonly string[]>,
): readonly string[] {
  const lines: string[] = [];
  for (const repository of store.repositories.values())
    for (const [tag, digest] of repository.tags) {
      const name = `${repository.name}:${tag}`;
      if (!published.get(name)?.includes(digest)) lines.push(`${name} names ${digest}`);
      lines.push(...faultsBelow(store, repository, digest).map((fault) => `${name}: ${fault}`));
    }
  return lines;
}

/** Bytes that were hashed once need not be hashed again: nobody changes them in place. */
const right = new WeakMap<Uint8Array, string>();

function faultsBelow(
  store: RegistryStore,
  repository: StoredRepository,
  root: string,
): readonly string[] {
  const lines: string[] = [];
  const visit = (digest: string): void => {
    const mediaType = repository.manifests.get(digest);
    const bytes = store.contents.get(digest);
    if (mediaType === undefined || !bytes) return void lines.push(`manifest ${digest} is missing`);
    if (!isRight(bytes, digest)) return void lines.push(`manifest ${digest} is wrong`);
    const descriptor = { mediaType, digest: digestOf(bytes), size: bytes.length };
    const { manifests, blobs } = linksOf({ descriptor, bytes });
    for (const child of manifests) visit(child.digest);
    for (const { digest: name, size } of blobs) {
      const content = store.contents.get(name);
      if (!repository.blobs.has(name) || !content) lines.push(`blob ${name} is missing`);
      else if (content.length !== size || !isRight(content, name))
        lines.push(`blob ${name} is wrong`);
    }
  };
  visit(root);
  return lines;
}

function isRight(bytes: Uint8Array, digest: string): boolean {
  const known = right.get(bytes) ?? digestOf(bytes);
  right.set(bytes, known);
  return known === digest;
}
