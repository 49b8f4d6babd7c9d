import assert from 'node:assert/strict';
import { test } from 'node:test';
import { blobsOf, growTree, partsOf } from '../../src/copy/tree.ts';
import type { Descriptor } from '../../src/oci/descriptor.ts';
import { digestOf } from '../../src/oci/digest.ts';
import { OCI_INDEX } from '../../src/oci/media-types.ts';
import { type Content, digestsOf, image, index } from './corpus.ts';

/** Gives the children of contents by their digest, and counts how often it is asked. */
function childrenOf(roots: readonly Content[]) {
  const known = new Map<string, Content>();
  const visit = (content: Content): void => {
    if (known.has(content.digest)) return;
    known.set(content.digest, content);
    content.children.forEach(visit);
  };
  roots.forEach(visit);
  const asked: string[] = [];
  const fetchChild = async ({ digest }: Descriptor) => {
    asked.push(digest);
    const child = known.get(digest);
    if (!child) throw new Error(`there is no ${digest}`);
    return child.manifest;
  };
  return { asked, fetchChild };
}

test('A tree holds children before parents, and each blob once', async () => {
  const shared = image(['base', 'a']);
  const inner = index([shared, image(['base', 'b'])]);
  const root = index([inner, shared]);

  const tree = await growTree(root.manifest, childrenOf([root]).fetchChild);

  const order = partsOf(tree).map(({ manifest }) => manifest.descriptor.digest);
  assert.equal(order.length, 4);
  assert.ok(order.indexOf(shared.digest) < order.indexOf(inner.digest));
  assert.equal(order.at(-1), root.digest);
  assert.deepEqual(
    blobsOf(tree)
      .map(({ digest }) => digest)
      .sort(),
    digestsOf(root).toSorted(),
  );
});

test('Indexes that name one another many times over do not grow into a forest', {
  timeout: 20_000,
}, async () => {
  let level: readonly Content[] = [image(['a'])];
  for (let depth = 0; depth < 7; depth += 1) {
    const below = level;
    level = Array.from({ length: 12 }, (_, number) => index(below, `${depth} ${number}`));
  }
  const root = index(level);
  const { asked, fetchChild } = childrenOf([root]);

  const tree = await growTree(root.manifest, fetchChild);

  assert.equal(partsOf(tree).length, 7 * 12 + 2);
  assert.equal(asked.length, 7 * 12 + 1);
  assert.equal(blobsOf(tree).length, 2);
});

test('An index of more manifests than any real one is refused before they are read', async () => {
  const child = image(['a']).manifest.descriptor;
  const manifests = Array.from({ length: 10_001 }, (_, number) => ({
    ...child,
    digest: digestOf(Buffer.from(`${number}`)),
  }));
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests }));
  const descriptor = { mediaType: OCI_INDEX, digest: digestOf(bytes), size: bytes.length };
  const { asked, fetchChild } = childrenOf([]);

  await assert.rejects(
    growTree({ bytes, descriptor }, fetchChild),
    /an index of more than 10000 manifests/,
  );
  assert.equal(asked.length, 0);
});

test('A child that is not there fails the tree', async () => {
  const root = index([image(['a'])]);

  await assert.rejects(growTree(root.manifest, childrenOf([]).fetchChild), /there is no sha256:/);
});
