import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { digestOf } from '../../src/oci/digest.ts';
import { DigestMismatchError } from '../../src/oci/errors.ts';
import type { Manifest } from '../../src/oci/manifest.ts';
import { DOCKER_MANIFEST, OCI_MANIFEST } from '../../src/oci/media-types.ts';
import { OversizeError } from '../../src/registry/body.ts';
import { RegistryError } from '../../src/registry/errors.ts';
import { REGISTRIES } from '../registry-support/registries.ts';
import { type Certificates, makeCertificates } from '../support/certificates.ts';
import { pushImage } from '../support/images.ts';
import type { PushedImage } from '../support/images-push.ts';
import { type RunningRegistry, startRegistry, type TestRegistry } from '../support/registry.ts';
import { collect, content, failureOf, open, openBare } from './opening.ts';

const BLOB = content(randomBytes(300_000));
const CONFIG = content('{}');

function manifestOf(fields: object = {}, mediaType = OCI_MANIFEST): Manifest {
  const bytes = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType,
      config: CONFIG.descriptor,
      layers: [BLOB.descriptor],
      ...fields,
    }),
  );
  return { bytes, descriptor: { mediaType, digest: digestOf(bytes), size: bytes.length } };
}

let certificates: Certificates;
before(async () => {
  certificates = await makeCertificates();
});
after(() => certificates.remove());

const WAYS = {
  'without a login': () => ({}),
  'with a Basic login': () => ({ auth: 'basic' as const }),
  'with tokens': () => ({ auth: 'token' as const }),
  'over TLS, with tokens and relative Locations': () => ({
    auth: 'token' as const,
    tls: certificates,
    relativeLocations: true,
  }),
};

for (const { name, skip, start } of REGISTRIES)
  for (const [way, options] of Object.entries(WAYS))
    describe(`a repository of ${name} ${way}`, { skip }, () => {
      let registry: RunningRegistry;
      before(async () => {
        registry = await start(options());
      });
      after(() => registry.close());

      test('gives back what was put into it', async (context) => {
        const repository = await open(context, registry, { path: 'team/round' });
        const manifest = manifestOf();

        const before = await repository.hasBlob(BLOB.descriptor);
        for (const { descriptor, open: openBlob } of [BLOB, CONFIG])
          assert.equal(await repository.putBlob(descriptor, openBlob, {}), 'uploaded');
        await repository.putManifest(manifest, 'v1');

        assert.equal(before, false);
        assert.equal(await repository.hasBlob(BLOB.descriptor), true);
        assert.deepEqual(await repository.resolve('v1'), manifest.descriptor);
        assert.deepEqual(await repository.resolve(manifest.descriptor.digest), manifest.descriptor);
        for (const reference of ['v1', manifest.descriptor.digest]) {
          const fetched = await repository.fetchManifest(reference);
          assert.deepEqual(fetched.descriptor, manifest.descriptor);
          assert.ok(Buffer.from(fetched.bytes).equals(manifest.bytes));
        }
        for (const offset of [0, 1, 299_999]) {
          const bytes = await collect(await repository.openBlob(BLOB.descriptor, offset));
          assert.ok(bytes.equals(BLOB.bytes.subarray(offset)));
        }
      });

      test('takes an empty blob', async (context) => {
        const empty = content('');
        const repository = await open(context, registry, { path: 'team/empty' });

        await repository.putBlob(empty.descriptor, empty.open, {});

        assert.equal(await repository.hasBlob(empty.descriptor), true);
      });

      test('mounts what another repository has', async (context) => {
        const from = await open(context, registry, { path: 'team/from' });
        await from.putBlob(BLOB.descriptor, BLOB.open, {});
        const repository = await open(context, registry, { path: 'team/to' });

        const arrival = await repository.putBlob(BLOB.descriptor, BLOB.open, {
          mountFrom: 'team/from',
        });

        assert.equal(arrival, 'mounted');
        assert.equal(await repository.hasBlob(BLOB.descriptor), true);
      });

      test('asks for a mount, and leaves nothing behind where there is none', async (context) => {
        const from = await open(context, registry, { path: 'team/from' });
        await from.putBlob(BLOB.descriptor, BLOB.open, {});
        const repository = await open(context, registry, { path: 'team/asked' });

        const mounted = await repository.mountBlob(BLOB.descriptor, 'team/from');
        const absent = await repository.mountBlob(CONFIG.descriptor, 'team/nothing');
        await registry.settle();

        assert.deepEqual([mounted, absent], [true, false]);
        assert.equal(registry.log.select('DELETE', 'upload').at(-1)?.status, 204);
        assert.equal(await repository.hasBlob(CONFIG.descriptor), false);
      });

      test('takes the bytes where there is nothing to mount', async (context) => {
        const fresh = content(randomBytes(1000));
        const repository = await open(context, registry, { path: 'team/fresh' });

        const arrival = await repository.putBlob(fresh.descriptor, fresh.open, {
          mountFrom: 'team/nothing',
        });

        assert.equal(arrival, 'uploaded');
      });

      test('never stores bytes under a digest that is not theirs', async (context) => {
        const wrong = { ...BLOB.descriptor, digest: content('other').descriptor.digest };
        const repository = await open(context, registry, { path: 'team/wrong' });

        const error = await failureOf(repository.putBlob(wrong, BLOB.open, {}));

        assert.ok(error instanceof RegistryError);
        assert.equal(error.code, 'DIGEST_INVALID');
        assert.equal(await repository.hasBlob(wrong), false);
      });

      test('says that parts of a manifest are missing', async (context) => {
        const repository = await open(context, registry, { path: 'team/incomplete' });

        const error = await failureOf(repository.putManifest(manifestOf(), 'v1'));

        assert.ok(error instanceof RegistryError);
        assert.ok(error.incomplete);
        assert.equal(error.transient, false);
      });

      test('does not resolve what is not there', async (context) => {
        const repository = await open(context, registry, { path: 'team/absent' });

        const resolved = await repository.resolve('v9');
        const error = await failureOf(repository.fetchManifest('v9'));

        assert.equal(resolved, undefined);
        assert.ok(error instanceof RegistryError);
        assert.ok(error.missing);
        assert.equal(error.code, 'MANIFEST_UNKNOWN');
      });

      test('lists its tags', async (context) => {
        for (const tag of ['v2', 'v1', 'latest'])
          await pushImage(registry, { repository: 'team/tags', tag, layers: 0 });
        const repository = await open(context, registry, { path: 'team/tags', right: 'pull' });

        const tags = await Array.fromAsync(repository.listTags());

        assert.deepEqual(tags.toSorted(), ['latest', 'v1', 'v2']);
      });
    });

describe('a repository', () => {
  let registry: TestRegistry;
  let image: PushedImage;
  const HEAD = { method: 'HEAD', class: 'manifest' } as const;
  const GET = { method: 'GET', class: 'manifest' } as const;

  beforeEach(async () => {
    registry = await startRegistry();
    image = await pushImage(registry, { repository: 'team/app', tag: 'v1' });
  });
  afterEach(() => registry.close());

  test('resolves a tag by one HEAD', async (context) => {
    const resolved = await openBare(context, registry).resolve('v1');

    assert.equal(resolved?.digest, image.digest);
    assert.deepEqual(registry.log.summary(), ['HEAD manifest 200']);
  });

  for (const [what, headers] of Object.entries({
    'names no digest': { 'docker-content-digest': undefined },
    'names a digest of an unknown kind': { 'docker-content-digest': 'md5:abc' },
  }))
    test(`fetches the manifest when HEAD ${what}`, async (context) => {
      registry.faults.add({ ...HEAD, headers });

      const resolved = await openBare(context, registry).resolve('v1');

      assert.deepEqual(resolved, {
        mediaType: OCI_MANIFEST,
        digest: image.digest,
        size: image.size,
      });
    });

  for (const status of [400, 403, 405, 406, 501])
    test(`fetches the manifest when HEAD is refused with ${status}`, async (context) => {
      registry.faults.add({ ...HEAD, answer: { status } });

      const resolved = await openBare(context, registry).resolve('v1');
      const absent = await openBare(context, registry).resolve('v9');

      assert.equal(resolved?.digest, image.digest);
      assert.equal(absent, undefined);
    });

  for (const status of [401, 403])
    test(`passes on that manifests are forbidden with ${status}`, async (context) => {
      registry.faults.add({ class: 'manifest', answer: { status } });

      const error = await failureOf(openBare(context, registry).resolve('v1'));

      assert.ok(error instanceof RegistryError);
      assert.ok(error.forbidden);
    });

  for (const status of [400, 401, 403, 405, 500])
    test(`does not know of a blob after ${status}`, async (context) => {
      registry.faults.add({ class: 'blob', answer: { status } });

      assert.equal(await openBare(context, registry).hasBlob(BLOB.descriptor), false);
    });

  test('finds a manifest whose digest the header gets wrong', async (context) => {
    registry.faults.add({ ...GET, headers: { 'docker-content-digest': BLOB.descriptor.digest } });
    const repository = openBare(context, registry);

    const error = await failureOf(repository.fetchManifest('v1'));
    const byDigest = await repository.fetchManifest(image.digest);

    assert.ok(error instanceof DigestMismatchError);
    assert.equal(byDigest.descriptor.digest, image.digest);
  });

  for (const [what, fault] of Object.entries({
    'other bytes': { corruptAt: 20 },
    'half of the bytes': { truncateTo: 100 },
    'something else': { body: '<html>' },
    nothing: { body: '' },
  }))
    test(`does not take ${what} for the manifest of a digest`, async (context) => {
      registry.faults.add({ ...GET, ...fault });

      const error = await failureOf(openBare(context, registry).fetchManifest(image.digest));

      assert.ok(error instanceof DigestMismatchError, String(error));
      assert.ok(error.transient);
    });

  test('says that a manifest was cut as something that may go well later', async (context) => {
    registry.faults.add({ ...GET, dropAfter: 100 });

    const error = await failureOf(openBare(context, registry).fetchManifest('v1'));

    assert.equal((error as { readonly transient?: boolean }).transient, true);
  });

  for (const contentType of [
    'application/json',
    'text/plain; charset=utf-8',
    `${OCI_MANIFEST}; charset=utf-8`,
    'application/octet-stream',
  ])
    test(`knows a manifest by what it says, not by ${contentType}`, async (context) => {
      registry.faults.add({ class: 'manifest', headers: { 'content-type': contentType } });

      const manifest = await openBare(context, registry).fetchManifest('v1');

      assert.equal(manifest.descriptor.mediaType, OCI_MANIFEST);
    });

  test('reads manifests up to 4 MiB', async (context) => {
    registry.faults.add({ ...GET, body: `{"x":"${'x'.repeat(4 * 1024 * 1024)}"}` });

    const error = await failureOf(openBare(context, registry).fetchManifest('v1'));

    assert.ok(error instanceof OversizeError);
    await registry.settle();
  });

  test('sends a manifest byte for byte, with its own type', async (context) => {
    const repository = openBare(context, registry);
    for (const { descriptor, open: openBlob } of [BLOB, CONFIG])
      await repository.putBlob(descriptor, openBlob, {});
    const written = manifestOf({ annotations: { odd: '\u00fc  ' } }, DOCKER_MANIFEST);

    await repository.putManifest(written, undefined);

    const stored = registry.store.contents.get(written.descriptor.digest);
    assert.ok(stored && Buffer.from(stored).equals(written.bytes));
    const [put] = registry.log.select('PUT', 'manifest');
    assert.equal(put?.headers['content-type'], DOCKER_MANIFEST);
    assert.ok(put?.path.endsWith(written.descriptor.digest));
  });

  test('notices that a manifest was stored as another one', async (context) => {
    registry.faults.add({
      method: 'PUT',
      class: 'manifest',
      answer: {
        status: 201,
        body: '',
        headers: { 'docker-content-digest': BLOB.descriptor.digest },
      },
    });

    const error = await failureOf(openBare(context, registry).putManifest(manifestOf(), 'v1'));

    assert.ok(error instanceof DigestMismatchError);
    assert.match(error.message, new RegExp(registry.host));
  });

  test('sends a manifest again when the registry is busy', async (context) => {
    registry.faults.add({ method: 'PUT', class: 'manifest', answer: { status: 503 }, times: 2 });
    const manifest = manifestOf({ layers: [], config: image.blobs[0] });

    await openBare(context, registry).putManifest(manifest, 'v2');

    assert.equal(registry.log.count('PUT', 'manifest'), 3);
  });

  test('lists nothing but tags', async (context) => {
    const tags = ['v1', 12, null, '../../x', 'a b', '', 'v2', '\u001b[2J', { a: 1 }];
    registry.faults.add({ class: 'tags', body: JSON.stringify({ name: 'team/app', tags }) });

    const listed = await Array.fromAsync(openBare(context, registry).listTags());

    assert.deepEqual(listed, ['v1', 'v2']);
  });

  for (const body of ['{"name": "team/app", "tags": null}', '[]', 'null', '<html>'])
    test(`lists no tags where the answer is ${body}`, async (context) => {
      registry.faults.add({ class: 'tags', body });

      assert.deepEqual(await Array.fromAsync(openBare(context, registry).listTags()), []);
    });

  test('says that it does not exist when its tags are asked for', async (context) => {
    const error = await failureOf(
      Array.fromAsync(openBare(context, registry, { path: 'team/nothing' }).listTags()),
    );

    assert.ok(error instanceof RegistryError);
    assert.equal(error.code, 'NAME_UNKNOWN');
  });

  test('stops asking when it is aborted', async (context) => {
    const controller = new AbortController();
    registry.faults.add({
      ...HEAD,
      wait: new Promise(() => undefined),
      where: () => {
        controller.abort();
        return true;
      },
    });

    const error = await failureOf(openBare(context, registry).resolve('v1', controller.signal));

    assert.equal(error.name, 'AbortError');
    await registry.settle();
  });
});
