import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';
import { OCI_INDEX, OCI_MANIFEST } from '../../src/oci/media-types.ts';
import { pushImage } from '../support/images.ts';
import { pushMultiPlatform, pushReferrer, pushTags } from '../support/images-kinds.ts';
import { startRegistry, type TestRegistry } from '../support/registry.ts';
import { errorCodes, send } from '../support/registry-client.ts';
import type { RegistryOptions } from '../support/registry-options.ts';

describe('the in-process registry', () => {
  let registry: TestRegistry;
  const start = async (options: RegistryOptions) => {
    registry = await startRegistry(options);
  };
  const tagsOf = async (path: string) => {
    const { body, headers } = await send(registry, { path });
    return { tags: JSON.parse(`${body}`).tags as readonly string[], link: headers['link'] };
  };
  afterEach(() => registry.close());

  test('lists as many tags as the client asks for, and names the next page', async () => {
    await start({});
    await pushTags(registry, 'many', 5);

    const first = await tagsOf('/v2/many/tags/list?n=2');
    const [, next = ''] = /<(.*)>; rel="next"/.exec(`${first.link}`) ?? [];
    const second = await tagsOf(next);
    const rest = await tagsOf('/v2/many/tags/list?n=2&last=v0003');

    assert.deepEqual(first.tags, ['v0000', 'v0001']);
    assert.deepEqual(second.tags, ['v0002', 'v0003']);
    assert.deepEqual(rest, { tags: ['v0004'], link: undefined });
  });

  test('lists no more tags than it wants to', async () => {
    await start({ pageSize: 2 });
    await pushTags(registry, 'many', 3);

    const first = await tagsOf('/v2/many/tags/list');
    const greedy = await tagsOf('/v2/many/tags/list?n=1000');

    assert.deepEqual(first.tags, ['v0000', 'v0001']);
    assert.equal(first.link, '</v2/many/tags/list?last=v0001&n=2>; rel="next"');
    assert.deepEqual(greedy.tags, first.tags);
  });

  test('lists referrers, and says so on a push, where it has that API', async () => {
    await start({ referrers: true });
    const subject = await pushImage(registry, { repository: 'a', tag: 'v1' });
    const referrer = await pushReferrer(registry, { repository: 'a' }, subject);

    const path = `/v2/a/referrers/${subject.digest}`;
    const list = await send(registry, { path });
    const none = await send(registry, { path: `${path}?artifactType=text/plain` });

    assert.equal(list.headers['content-type'], OCI_INDEX);
    const { manifests } = JSON.parse(`${list.body}`);
    assert.equal(manifests.length, 1);
    assert.equal(manifests[0].digest, referrer.digest);
    assert.equal(manifests[0].artifactType, 'application/vnd.example.signature');
    assert.deepEqual(JSON.parse(`${none.body}`).manifests, []);
    assert.equal(none.headers['oci-filters-applied'], 'artifactType');
  });

  test('refuses the manifests that its kind refuses', async () => {
    const answer = { status: 400, body: "Invalid image, fail to parse 'manifest.json'" };
    await start({ refuseManifest: (mediaType) => (mediaType === OCI_INDEX ? answer : undefined) });

    const index = pushMultiPlatform(registry, { repository: 'a', tag: 'v1' });

    await assert.rejects(index, /fail to parse 'manifest.json'/);
    assert.equal((await send(registry, { path: '/v2/a/tags/list' })).status, 404);
  });

  test('keeps immutable tags where they are', async () => {
    await start({ immutableTags: true });
    await pushImage(registry, { repository: 'a', tag: 'v1', seed: 'one' });

    const same = await pushImage(registry, { repository: 'a', tag: 'v1', seed: 'one' });
    const other = pushImage(registry, { repository: 'a', tag: 'v1', seed: 'other' });

    await assert.rejects(other, /TAG_INVALID/);
    assert.equal(registry.store.repositories.get('a')?.tags.get('v1'), same.digest);
  });

  test('takes pushes only to repositories that were made before, as ECR does', async () => {
    await start({ repositories: ['made'] });

    await pushImage(registry, { repository: 'made', tag: 'v1' });
    const started = await send(registry, { method: 'POST', path: '/v2/other/blobs/uploads/' });

    assert.equal(started.status, 404);
    assert.deepEqual(errorCodes(started), ['NAME_UNKNOWN']);
  });

  test('takes manifests whose parts are missing where it does not look', async () => {
    await start({ checkParts: false });
    const config = { mediaType: 'text/plain', digest: `sha256:${'0'.repeat(64)}`, size: 1 };
    const body = Buffer.from(JSON.stringify({ schemaVersion: 2, config, layers: [] }));

    const put = await send(registry, {
      method: 'PUT',
      path: '/v2/a/manifests/v1',
      headers: { 'content-type': OCI_MANIFEST },
      body,
    });

    assert.equal(put.status, 201);
  });

  test('refuses a chunk that does not follow the last one', async () => {
    await start({});
    const started = await send(registry, { method: 'POST', path: '/v2/a/blobs/uploads/' });

    const refused = await send(registry, {
      method: 'PATCH',
      path: started.headers.location ?? '',
      headers: { 'content-range': '5-7' },
      body: Buffer.from('abc'),
    });

    assert.equal(refused.status, 416);
    assert.equal(refused.headers.range, '0-0');
  });

  test('lets users into their own repositories only', async () => {
    const mine = { username: 'mine', password: 'one', repositories: /^mine\// };
    await start({ auth: 'basic', users: [mine] });
    await pushImage(registry, { repository: 'mine/app', tag: 'v1' });

    const started = await send(registry, { method: 'POST', path: '/v2/other/blobs/uploads/' });

    assert.equal(started.status, 403);
    assert.deepEqual(errorCodes(started), ['DENIED']);
  });

  test('logs headers, queries and the bytes of both directions', async () => {
    await start({});
    const headers = { authorization: 'Basic c2VjcmV0' };
    const body = Buffer.from('four bytes and more');

    await send(registry, {
      method: 'PUT',
      path: '/v2/a/manifests/v1?x=1',
      agent: 'me',
      headers,
      body,
    });
    await registry.settle();

    const [record] = registry.log.records;
    assert.equal(record?.headers.authorization, 'Basic c2VjcmV0');
    assert.equal(record?.query.get('x'), '1');
    assert.equal(record?.path, '/v2/a/manifests/v1');
    assert.equal(record?.bytesIn, body.length);
    assert.ok(record && record.bytesOut > 0);
    assert.equal(registry.connections(), 1);
  });
});
