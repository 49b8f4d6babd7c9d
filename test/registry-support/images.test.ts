import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { digestOf } from '../../src/oci/digest.ts';
import { pushImage } from '../support/images.ts';
import { KINDS, pushMultiPlatform, pushTags, pushUnknownType } from '../support/images-kinds.ts';
import { makeLayer } from '../support/images-layer.ts';
import { verifyImage } from '../support/images-verify.ts';
import { type RunningRegistry, startRegistry } from '../support/registry.ts';
import { send } from '../support/registry-client.ts';
import { REGISTRIES } from './registries.ts';

for (const { name, skip, start } of REGISTRIES)
  describe(`the images in ${name}`, { skip }, () => {
    let registry: RunningRegistry;

    before(async () => {
      registry = await start();
    });
    after(() => registry.close());

    for (const [kind, push] of Object.entries(KINDS))
      test(`are held where they are ${kind}`, async () => {
        const repository = `kinds/${kind.replaceAll(' ', '-')}`;

        const image = await push(registry, { repository, tag: 'v1' });

        assert.deepEqual(await verifyImage(registry, repository, 'v1', image.digest), []);
        assert.equal(image.manifests[0], image.digest);
      });

    test('are many tags of one repository', async () => {
      const images = await pushTags(registry, 'many/tags', 12);

      const { body } = await send(registry, { path: '/v2/many/tags/tags/list' });
      const { tags } = JSON.parse(`${body}`);
      assert.deepEqual(
        tags.toSorted(),
        images.map(({ tag }) => tag),
      );
    });

    test('leave no request of the fixtures in the log', async () => {
      await registry.settle();

      assert.deepEqual(registry.log.summary(), []);
    });
  });

describe('images', () => {
  test('are the same for the same names, whichever registry they go to', async (context) => {
    const one = await startRegistry();
    context.after(() => one.close());
    const other = await startRegistry();
    context.after(() => other.close());

    const first = await pushMultiPlatform(one, { repository: 'team/app', tag: 'v1' });
    const second = await pushMultiPlatform(other, { repository: 'team/app', tag: 'v1' });

    assert.deepEqual(first, second);
  });

  test('share the layers that have one seed', async (context) => {
    const registry = await startRegistry();
    context.after(() => registry.close());

    const one = await pushImage(registry, { repository: 'a', tag: 'v1', seed: 'base' });
    const other = await pushImage(registry, { repository: 'b', tag: 'v1', seed: 'base' });

    assert.deepEqual(one.blobs.slice(1), other.blobs.slice(1));
    assert.notEqual(one.blobs[0]?.digest, other.blobs[0]?.digest);
  });

  test('of a type that nobody knows are taken by the in-process registry', async (context) => {
    const registry = await startRegistry();
    context.after(() => registry.close());

    const { digest } = await pushUnknownType(registry, { repository: 'a', tag: 'v1' });

    assert.deepEqual(await verifyImage(registry, 'a', 'v1', digest), []);
  });

  test('have layers of about the size that was asked for', () => {
    const layer = makeLayer('seed', 100_000);

    assert.equal(layer.digest, digestOf(layer.bytes));
    assert.ok(layer.size > 100_000 && layer.size < 103_000);
  });
});

describe('verifyImage', () => {
  test('names a tag that is not there', async (context) => {
    const registry = await startRegistry();
    context.after(() => registry.close());

    const faults = await verifyImage(registry, 'a', 'v1');

    assert.deepEqual(faults, ['a: the manifest v1 is missing']);
  });

  test('names a tag that points elsewhere', async (context) => {
    const registry = await startRegistry();
    context.after(() => registry.close());
    const { digest } = await pushImage(registry, { repository: 'a', tag: 'v1' });

    const faults = await verifyImage(registry, 'a', 'v1', `sha256:${'0'.repeat(64)}`);

    assert.deepEqual(faults, [`a: v1 is ${digest} instead of sha256:${'0'.repeat(64)}`]);
  });

  test('names children and blobs that are missing, and blobs with other bytes', async (context) => {
    const registry = await startRegistry();
    context.after(() => registry.close());
    const image = await pushMultiPlatform(registry, { repository: 'a', tag: 'v1' });
    const [, , child = ''] = image.manifests;
    const [missing, changed] = image.blobs.map(({ digest }) => digest);
    registry.store.repositories.get('a')?.manifests.delete(child);
    registry.store.repositories.get('a')?.blobs.delete(missing ?? '');
    registry.store.contents.set(changed ?? '', Buffer.from('other bytes'));

    const faults = await verifyImage(registry, 'a', 'v1', image.digest);

    assert.deepEqual(faults, [
      `a: the blob ${missing} is missing (404)`,
      `a: the blob ${changed} holds other bytes`,
      `a: the manifest ${child} is missing`,
    ]);
  });
});
