import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { digestOf } from '../../src/oci/digest.ts';
import { linksOf } from '../../src/oci/manifest.ts';
import { blobsOf, layerSet, makeSet, manySet, totalsOf } from './corpus.ts';
import { manifestsOf } from './image.ts';
import { makeLayer } from './layer.ts';

const bytesOf = (parts: Iterable<Uint8Array>) => Buffer.concat([...parts]);

describe('the corpus of the benchmark', () => {
  it('is the same to the byte every time, so that figures of two machines compare', () => {
    const digests = makeSet('cluster', 'small').map(({ root }) => root.descriptor.digest);

    const hash = createHash('sha256').update(digests.join('\n')).digest('hex');

    assert.equal(hash, CLUSTER_SMALL);
  });

  it('has 38 images in 26 repositories for a cluster, with layers that many of them share', () => {
    const totals = totalsOf(makeSet('cluster', 'small'));

    assert.equal(totals.images, 38);
    assert.equal(totals.repositories, 26);
    assert.equal(totals.manifests, 66);
    assert.ok(totals.bytesByRepository > 1.8 * totals.uniqueBytes);
    assert.ok(totals.bytesByImage > 2.4 * totals.uniqueBytes);
  });

  it('has 200 tags of one repository', () => {
    const totals = totalsOf(makeSet('tags', 'small'));

    assert.deepEqual([totals.images, totals.repositories], [200, 1]);
  });

  it('contains the smaller of two growing sets in the larger one', () => {
    const small = manySet(5);
    const large = manySet(9);

    const shared = large.slice(0, 5).map(({ root }) => root.descriptor.digest);
    assert.deepEqual(
      shared,
      small.map(({ root }) => root.descriptor.digest),
    );
  });

  it('gives sets of one layer a repository for each size', () => {
    const names = [1_000, 2_000].flatMap(layerSet).map(({ repository }) => repository);

    assert.equal(new Set(names).size, 2);
  });

  for (const set of ['cluster', 'edge'] as const)
    it(`links every manifest of ${set} to what is below it, and to nothing else`, () => {
      for (const { root } of makeSet(set, 'small'))
        for (const { descriptor, bytes, children, blobs } of manifestsOf(root)) {
          const links = linksOf({ descriptor, bytes });

          const below = children.map((child) => child.descriptor.digest);
          assert.deepEqual(
            links.manifests.map(({ digest }) => digest),
            below,
          );
          assert.deepEqual(
            links.blobs.map(({ digest, size }) => ({ digest, size })),
            [...new Map(blobs.map(({ digest, size }) => [digest, { digest, size }])).values()],
          );
        }
    });

  it('gives blobs of the digest and the size that it says', () => {
    for (const { root } of makeSet('edge', 'small'))
      for (const blob of blobsOf(root)) {
        const bytes = bytesOf(blob.bytes());

        assert.equal(bytes.length, blob.size);
        assert.equal(digestOf(bytes), blob.digest);
      }
  });
});

describe('a layer', () => {
  for (const size of [0, 1, 512, 65_535, 3_000_000])
    it(`of ${size} bytes is gzip around a tar of one file`, () => {
      const layer = makeLayer('some', size);

      const archive = gunzipSync(bytesOf(layer.bytes()));

      assert.equal(digestOf(archive), layer.diffId);
      assert.equal(archive.length % 512, 0);
      assert.equal(Number.parseInt(archive.toString('latin1', 124, 135), 8), size);
      assert.equal(archive.toString('latin1', 257, 262), 'ustar');
    });

  it('does not compress', () => {
    const layer = makeLayer('some', 100_000);

    assert.ok(layer.size > 100_000);
  });
});

// Changes only with the corpus; whoever changes that measures everything anew.
const CLUSTER_SMALL = '4321256ec061208f1523ca8aae3e665121210ef570273ddcf646402211c43a57';
