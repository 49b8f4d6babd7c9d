import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { digestOf } from '../../src/oci/digest.ts';
import { OCI_INDEX, OCI_MANIFEST } from '../../src/oci/media-types.ts';
import { pushImage } from '../support/images.ts';
import type { PushedImage } from '../support/images-push.ts';
import type { RunningRegistry } from '../support/registry.ts';
import { type ClientRequest, errorCodes, send } from '../support/registry-client.ts';
import { REGISTRIES } from './registries.ts';

const LAYER = Buffer.from('the bytes of a layer');
const DIGEST = digestOf(LAYER);
const ABSENT = digestOf(Buffer.from('nobody has this'));
const OCTETS = { 'content-type': 'application/octet-stream' };

for (const { name, skip, start } of REGISTRIES)
  describe(`${name} without a login`, { skip }, () => {
    let registry: RunningRegistry;
    let image: PushedImage;
    const ask = (request: ClientRequest) => send(registry, request);
    const path = (location: string | undefined) => {
      const { pathname, search } = new URL(location ?? '', registry.url);
      return `${pathname}${search}`;
    };
    const open = async (repository = 'team/app') => {
      const started = await ask({ method: 'POST', path: `/v2/${repository}/blobs/uploads/` });
      return path(started.headers.location);
    };

    before(async () => {
      registry = await start();
      image = await pushImage(registry, { repository: 'team/app', tag: 'v1', layers: [] });
      const location = await open();
      await ask({ method: 'PUT', path: `${location}&digest=${DIGEST}`, body: LAYER });
    });
    after(() => registry.close());

    test('answers a ping', async () => {
      const ping = await ask({ path: '/v2/' });

      assert.equal(ping.status, 200);
      assert.equal(ping.headers['docker-distribution-api-version'], 'registry/2.0');
      assert.equal(`${ping.body}`.trim(), '{}');
    });

    test('tells the size and digest of a blob on HEAD', async () => {
      const head = await ask({ method: 'HEAD', path: `/v2/team/app/blobs/${DIGEST}` });

      assert.equal(head.status, 200);
      assert.equal(head.headers['content-length'], `${LAYER.length}`);
      assert.equal(head.headers['docker-content-digest'], DIGEST);
      assert.equal(head.headers['content-type'], 'application/octet-stream');
    });

    test('gives a blob whole', async () => {
      const got = await ask({ path: `/v2/team/app/blobs/${DIGEST}` });

      assert.equal(got.status, 200);
      assert.deepEqual(got.body, LAYER);
      assert.equal(got.headers['accept-ranges'], 'bytes');
    });

    test('gives a blob from an offset on', async () => {
      const headers = { range: 'bytes=4-' };

      const got = await ask({ path: `/v2/team/app/blobs/${DIGEST}`, headers });

      assert.equal(got.status, 206);
      assert.deepEqual(got.body, LAYER.subarray(4));
      assert.equal(got.headers['content-range'], `bytes 4-${LAYER.length - 1}/${LAYER.length}`);
      assert.equal(got.headers['content-length'], `${LAYER.length - 4}`);
    });

    test('gives the middle of a blob', async () => {
      const headers = { range: 'bytes=4-8' };

      const got = await ask({ path: `/v2/team/app/blobs/${DIGEST}`, headers });

      assert.equal(got.status, 206);
      assert.deepEqual(got.body, LAYER.subarray(4, 9));
    });

    test('refuses a range behind the end', async () => {
      const headers = { range: `bytes=${LAYER.length}-` };

      // On GET, distribution 2.8 announces more bytes than it sends, and closes the connection.
      const head = await ask({ method: 'HEAD', path: `/v2/team/app/blobs/${DIGEST}`, headers });

      assert.equal(head.status, 416);
      assert.equal(head.headers['content-range'], `bytes */${LAYER.length}`);
    });

    test('says that a blob is unknown', async () => {
      const head = await ask({ method: 'HEAD', path: `/v2/team/app/blobs/${ABSENT}` });
      const got = await ask({ path: `/v2/team/app/blobs/${ABSENT}` });
      const elsewhere = await ask({ path: `/v2/team/nothing/blobs/${DIGEST}` });

      assert.equal(head.status, 404);
      assert.equal(got.status, 404);
      assert.deepEqual(errorCodes(got), ['BLOB_UNKNOWN']);
      assert.deepEqual(errorCodes(elsewhere), ['BLOB_UNKNOWN']);
    });

    test('opens an upload session', async () => {
      const started = await ask({ method: 'POST', path: '/v2/team/app/blobs/uploads/' });

      assert.equal(started.status, 202);
      assert.match(started.headers.location ?? '', /^http:.*\/v2\/team\/app\/blobs\/uploads\/.+\?/);
      assert.equal(started.headers.range, '0-0');
      assert.ok(started.headers['docker-upload-uuid']);
    });

    test('takes a blob by one PUT', async () => {
      const bytes = Buffer.from('one PUT');
      const location = await open('team/put');

      const closed = await ask({
        method: 'PUT',
        path: `${location}&digest=${digestOf(bytes)}`,
        headers: OCTETS,
        body: bytes,
      });

      assert.equal(closed.status, 201);
      assert.equal(closed.headers['docker-content-digest'], digestOf(bytes));
      assert.equal(path(closed.headers.location), `/v2/team/put/blobs/${digestOf(bytes)}`);
    });

    test('takes a blob by two PATCHes and a PUT without body', async () => {
      const bytes = Buffer.from('two PATCHes');
      const location = await open('team/patch');

      const headers = OCTETS;
      const first = await ask({
        method: 'PATCH',
        path: location,
        headers,
        body: bytes.subarray(0, 4),
      });
      const next = path(first.headers.location);
      const second = await ask({ method: 'PATCH', path: next, headers, body: bytes.subarray(4) });
      const last = path(second.headers.location);
      const closed = await ask({ method: 'PUT', path: `${last}&digest=${digestOf(bytes)}` });

      assert.deepEqual([first.status, second.status, closed.status], [202, 202, 201]);
      assert.deepEqual(
        [first.headers.range, second.headers.range],
        ['0-3', `0-${bytes.length - 1}`],
      );
      const got = await ask({ path: `/v2/team/patch/blobs/${digestOf(bytes)}` });
      assert.deepEqual(got.body, bytes);
    });

    test('says how far an upload is', async () => {
      const patched = await ask({
        method: 'PATCH',
        path: await open(),
        headers: OCTETS,
        body: LAYER,
      });

      const state = await ask({ path: path(patched.headers.location) });

      assert.equal(state.status, 204);
      assert.equal(state.headers.range, `0-${LAYER.length - 1}`);
      assert.ok(state.headers.location);
    });

    test('refuses a Location that was given before the last bytes', async () => {
      const location = await open();
      const patched = await ask({ method: 'PATCH', path: location, headers: OCTETS, body: LAYER });

      const stale = await ask({ path: location });
      const current = await ask({ path: path(patched.headers.location) });

      assert.equal(stale.status, 404);
      assert.deepEqual(errorCodes(stale), ['BLOB_UPLOAD_INVALID']);
      assert.equal(current.status, 204);
    });

    test('refuses a Location whose query was lost', async () => {
      const [bare = ''] = (await open()).split('?');

      const lost = await ask({ method: 'PUT', path: `${bare}?digest=${DIGEST}`, body: LAYER });

      assert.equal(lost.status, 404);
      assert.deepEqual(errorCodes(lost), ['BLOB_UPLOAD_INVALID']);
    });

    test('refuses a blob whose bytes are others, and drops the session', async () => {
      const location = await open();

      const closed = await ask({
        method: 'PUT',
        path: `${location}&digest=${ABSENT}`,
        headers: OCTETS,
        body: LAYER,
      });

      assert.equal(closed.status, 400);
      assert.deepEqual(errorCodes(closed), ['DIGEST_INVALID']);
      const head = await ask({ method: 'HEAD', path: `/v2/team/app/blobs/${ABSENT}` });
      assert.equal(head.status, 404);
    });

    test('forgets a cancelled upload', async () => {
      const location = await open();

      const cancelled = await ask({ method: 'DELETE', path: location });
      const state = await ask({ path: location });

      assert.equal(cancelled.status, 204);
      assert.equal(state.status, 404);
      assert.deepEqual(errorCodes(state), ['BLOB_UPLOAD_UNKNOWN']);
    });

    test('mounts a blob from another repository', async () => {
      const mount = `mount=${DIGEST}&from=team/app`;

      const mounted = await ask({
        method: 'POST',
        path: `/v2/team/mounted/blobs/uploads/?${mount}`,
      });

      assert.equal(mounted.status, 201);
      assert.equal(mounted.headers['docker-content-digest'], DIGEST);
      assert.equal(path(mounted.headers.location), `/v2/team/mounted/blobs/${DIGEST}`);
      const got = await ask({ path: `/v2/team/mounted/blobs/${DIGEST}` });
      assert.deepEqual(got.body, LAYER);
    });

    test('answers a mount that it cannot do with an upload session', async () => {
      const queries = [
        `mount=${ABSENT}&from=team/app`,
        `mount=${DIGEST}&from=team/nothing`,
        `mount=${DIGEST}`,
      ];

      for (const query of queries) {
        const answer = await ask({
          method: 'POST',
          path: `/v2/team/other/blobs/uploads/?${query}`,
        });

        assert.equal(answer.status, 202, query);
        assert.ok(answer.headers.location, query);
      }
    });

    test('does not take a blob with the POST itself', async () => {
      const query = `digest=${DIGEST}`;

      const answer = await ask({
        method: 'POST',
        path: `/v2/team/single/blobs/uploads/?${query}`,
        headers: OCTETS,
        body: LAYER,
      });

      assert.equal(answer.status, 202);
      const head = await ask({ method: 'HEAD', path: `/v2/team/single/blobs/${DIGEST}` });
      assert.equal(head.status, 404);
    });

    test('gives a manifest by tag and by digest, byte for byte', async () => {
      for (const reference of ['v1', image.digest]) {
        const headers = { accept: `${OCI_INDEX}, ${OCI_MANIFEST}` };

        const got = await ask({ path: `/v2/team/app/manifests/${reference}`, headers });

        assert.equal(got.status, 200);
        assert.equal(got.headers['content-type'], OCI_MANIFEST);
        assert.equal(got.headers['docker-content-digest'], image.digest);
        assert.equal(digestOf(got.body), image.digest);
      }
    });

    test('tells the size and digest of a manifest on HEAD', async () => {
      const headers = { accept: OCI_MANIFEST };

      const head = await ask({ method: 'HEAD', path: '/v2/team/app/manifests/v1', headers });

      assert.equal(head.status, 200);
      assert.equal(head.headers['docker-content-digest'], image.digest);
      assert.equal(head.headers['content-length'], `${image.size}`);
      assert.equal(head.headers['content-type'], OCI_MANIFEST);
    });

    test('hides an OCI manifest from who does not name its type', async () => {
      const headers = { accept: '*/*' };

      const got = await ask({ path: '/v2/team/app/manifests/v1', headers });

      assert.equal(got.status, 404);
      assert.deepEqual(errorCodes(got), ['MANIFEST_UNKNOWN']);
    });

    test('says that a manifest is unknown', async () => {
      const headers = { accept: OCI_MANIFEST };
      for (const path of [
        '/v2/team/app/manifests/v9',
        `/v2/team/app/manifests/${ABSENT}`,
        '/v2/team/nothing/manifests/v1',
      ]) {
        const got = await ask({ path, headers });

        assert.equal(got.status, 404, path);
        assert.deepEqual(errorCodes(got), ['MANIFEST_UNKNOWN'], path);
      }
    });

    test('takes a manifest whose parts are there', async () => {
      const body = Buffer.from(JSON.stringify(manifestOf(DIGEST, LAYER.length)));

      const put = await ask({
        method: 'PUT',
        path: '/v2/team/app/manifests/v2',
        headers: { 'content-type': OCI_MANIFEST },
        body,
      });

      assert.equal(put.status, 201);
      assert.equal(put.headers['docker-content-digest'], digestOf(body));
      assert.equal(path(put.headers.location), `/v2/team/app/manifests/${digestOf(body)}`);
    });

    test('refuses a manifest whose blobs are missing', async () => {
      const body = Buffer.from(JSON.stringify(manifestOf(ABSENT, 15)));

      const put = await ask({
        method: 'PUT',
        path: '/v2/team/app/manifests/missing',
        headers: { 'content-type': OCI_MANIFEST },
        body,
      });

      assert.equal(put.status, 400);
      assert.deepEqual(errorCodes(put), ['MANIFEST_BLOB_UNKNOWN', 'MANIFEST_BLOB_UNKNOWN']);
    });

    test('refuses an index whose children are missing', async () => {
      const child = { mediaType: OCI_MANIFEST, digest: ABSENT, size: 15 };
      const index = { schemaVersion: 2, mediaType: OCI_INDEX, manifests: [child] };

      const put = await ask({
        method: 'PUT',
        path: '/v2/team/app/manifests/missing',
        headers: { 'content-type': OCI_INDEX },
        body: Buffer.from(JSON.stringify(index)),
      });

      assert.equal(put.status, 400);
      assert.deepEqual(errorCodes(put), ['MANIFEST_BLOB_UNKNOWN']);
    });

    test('refuses a manifest under another digest, and what is no JSON', async () => {
      const headers = { 'content-type': OCI_MANIFEST };
      const body = Buffer.from(JSON.stringify(manifestOf(DIGEST, LAYER.length)));

      const other = await ask({
        method: 'PUT',
        path: `/v2/team/app/manifests/${ABSENT}`,
        headers,
        body,
      });
      const broken = await ask({
        method: 'PUT',
        path: '/v2/team/app/manifests/broken',
        headers,
        body: Buffer.from('not JSON'),
      });

      assert.equal(other.status, 400);
      assert.deepEqual(errorCodes(other), ['DIGEST_INVALID']);
      assert.equal(broken.status, 400);
      assert.deepEqual(errorCodes(broken), ['MANIFEST_INVALID']);
    });

    test('deletes a manifest by its digest, and its tags with it', async () => {
      const doomed = await pushImage(registry, { repository: 'team/doomed', tag: 'v1' });
      const headers = { accept: OCI_MANIFEST };

      const deleted = await ask({
        method: 'DELETE',
        path: `/v2/team/doomed/manifests/${doomed.digest}`,
      });
      const again = await ask({
        method: 'DELETE',
        path: `/v2/team/doomed/manifests/${doomed.digest}`,
      });

      assert.equal(deleted.status, 202);
      assert.equal(again.status, 404);
      assert.deepEqual(errorCodes(again), ['MANIFEST_UNKNOWN']);
      const got = await ask({ path: '/v2/team/doomed/manifests/v1', headers });
      assert.equal(got.status, 404);
    });

    test('lists tags', async () => {
      const layers = 0;
      for (const tag of ['b', 'a', 'c'])
        await pushImage(registry, { repository: 'team/tags', tag, layers });

      const list = await ask({ path: '/v2/team/tags/tags/list' });

      assert.equal(list.status, 200);
      const { name, tags } = JSON.parse(`${list.body}`);
      assert.equal(name, 'team/tags');
      assert.deepEqual(tags.toSorted(), ['a', 'b', 'c']);
      assert.equal(list.headers['link'], undefined);
    });

    test('says that a repository is unknown', async () => {
      const list = await ask({ path: '/v2/team/nothing/tags/list' });

      assert.equal(list.status, 404);
      assert.deepEqual(errorCodes(list), ['NAME_UNKNOWN']);
    });

    test('knows no referrers', async () => {
      const got = await ask({ path: `/v2/team/app/referrers/${image.digest}` });

      assert.equal(got.status, 404);
    });

    test('does not take other methods', async () => {
      for (const path of [`/v2/team/app/blobs/${DIGEST}`, '/v2/team/app/tags/list']) {
        const answer = await ask({ method: 'PUT', path, body: LAYER });

        assert.equal(answer.status, 405, path);
      }
    });

    test('logs requests of others, by class and status', async () => {
      registry.log.clear();
      const agent = 'a client';

      await ask({ agent, path: '/v2/' });
      await ask({ agent, method: 'HEAD', path: `/v2/team/app/blobs/${DIGEST}` });
      await ask({ agent, path: `/v2/team/app/blobs/${DIGEST}` });
      await ask({ agent, path: '/v2/team/app/manifests/v9' });
      await ask({
        agent,
        method: 'POST',
        path: `/v2/team/app/blobs/uploads/?mount=${DIGEST}&from=team/app`,
      });
      await ask({ agent, method: 'POST', path: '/v2/team/app/blobs/uploads/' });
      await ask({ path: '/v2/' });
      await registry.settle();

      assert.deepEqual(registry.log.summary(), [
        'GET ping 200',
        'HEAD blob 200',
        'GET blob 200',
        'GET manifest 404',
        'POST mount 201',
        'POST upload 202',
      ]);
      assert.equal(registry.log.count('GET', 'blob'), 1);
      assert.equal(registry.log.count('GET'), 3);
      assert.equal(registry.log.select('GET', 'blob')[0]?.bytesOut, LAYER.length);
      assert.equal(registry.log.records[0]?.headers['user-agent'], agent);
    });
  });

function manifestOf(digest: string, size: number): object {
  const mediaType = 'application/vnd.oci.image.config.v1+json';
  const layer = { mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', digest, size };
  const config = { mediaType, digest, size };
  return { schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers: [layer] };
}
