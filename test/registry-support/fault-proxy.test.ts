import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { digestOf } from '../../src/oci/digest.ts';
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.ts';
import { pushImage } from '../support/images.ts';
import { makeLayer } from '../support/images-layer.ts';
import type { PushedImage } from '../support/images-push.ts';
import { verifyImage } from '../support/images-verify.ts';
import { type RunningRegistry, startRegistry, type TestRegistry } from '../support/registry.ts';
import {
  type ClientRequest,
  type ClientResponse,
  errorCodes,
  send,
} from '../support/registry-client.ts';
import { basicAuthorization, PUSHER } from '../support/registry-users.ts';
import { REGISTRIES } from './registries.ts';

const LAYER = makeLayer('proxied', 300_000);
const OCTETS = { 'content-type': 'application/octet-stream' };
const UPLOADS = '/v2/team/app/blobs/uploads/';

for (const { name, skip, start } of REGISTRIES)
  describe(`a fault proxy before ${name}`, { skip }, () => {
    let registry: RunningRegistry;
    let proxy: FaultProxy;

    beforeEach(async () => {
      registry = await start({ auth: 'token' });
      proxy = await startFaultProxy(registry);
    });
    afterEach(async () => {
      await proxy.close();
      await registry.close();
    });

    test('lets images pass both ways, and all addresses lead back through it', async () => {
      const place = { repository: 'team/app', tag: 'v1', layers: [LAYER] };
      const image = await pushImage(proxy, place);

      const opened = await send(proxy, { method: 'POST', path: UPLOADS });
      const asked = await send(proxy, { path: '/v2/', anonymous: true });

      assert.equal(new URL(opened.headers.location ?? '', proxy.url).origin, proxy.url);
      assert.match(asked.headers['www-authenticate'] ?? '', realmAt(`${proxy.url}/token`));
      assert.deepEqual(await verifyImage(proxy, 'team/app', 'v1', image.digest), []);
      assert.deepEqual(await verifyImage(registry, 'team/app', 'v1', image.digest), []);
      assert.deepEqual(proxy.log.records, []);
    });

    test('counts requests by class, and bytes both ways', async () => {
      await pushImage(proxy, { repository: 'team/app', tag: 'v1', layers: [LAYER] });
      const authorization = await bearer(proxy);
      const headers = { authorization };
      const blob = `/v2/team/app/blobs/${LAYER.digest}`;

      const opened = await ask(proxy, { method: 'POST', path: UPLOADS, headers });
      const path = withDigest(opened, LAYER.digest);
      await ask(proxy, {
        ...{ method: 'PUT', path, body: LAYER.bytes },
        headers: { ...headers, ...OCTETS },
      });
      await ask(proxy, { path: blob, headers });
      await ask(proxy, { path: blob, headers: { ...headers, range: 'bytes=1000-' } });

      await proxy.settle();
      assert.deepEqual(proxy.log.summary(), [
        'GET token 200',
        'POST upload 202',
        'PUT upload 201',
        'GET blob 200',
        'GET blob 206',
      ]);
      const [token] = proxy.log.select('GET', 'token');
      assert.deepEqual(proxy.bytes(), {
        in: LAYER.size,
        out: (token?.bytesOut ?? 0) + 2 * LAYER.size - 1000,
      });
    });

    test('takes a token for ended, with the challenge of the registry', async () => {
      const headers = { authorization: await bearer(proxy) };
      proxy.faults.add({ method: 'POST', class: 'upload', unauthorized: true, times: 1 });

      const refused = await ask(proxy, { method: 'POST', path: UPLOADS, headers });
      const opened = await ask(proxy, { method: 'POST', path: UPLOADS, headers });

      assert.deepEqual([refused.status, opened.status], [401, 202]);
      const challenge = refused.headers['www-authenticate'] ?? '';
      assert.match(challenge, realmAt(`${proxy.url}/token`));
      assert.match(challenge, /scope="repository:team\/app:(?:pull,push|push,pull)"/);
    });

    test('cuts an upload after the bytes that the registry then has', async () => {
      const headers = { authorization: await bearer(proxy), ...OCTETS };
      const opened = await ask(proxy, { method: 'POST', path: UPLOADS, headers });
      proxy.faults.add({ class: 'upload', dropUploadAfter: 100_000, times: 1 });
      const path = withDigest(opened, LAYER.digest);

      await assert.rejects(ask(proxy, { method: 'PUT', path, headers, body: LAYER.bytes }));

      await proxy.settle();
      const cut = proxy.log.select('PUT')[0];
      assert.deepEqual([cut?.status, cut?.bytesIn], [0, 100_000]);
    });

    test('passes an upload on under another origin, which must not be told the login', async () => {
      const headers = { authorization: await bearer(proxy) };
      proxy.faults.add({ method: 'POST', class: 'upload', address: 'elsewhere' });
      const opened = await ask(proxy, { method: 'POST', path: UPLOADS, headers });
      const path = withDigest(opened, LAYER.digest);
      const upload = { method: 'PUT', path, body: LAYER.bytes };

      const refused = await ask(proxy, { ...upload, headers: { ...headers, ...OCTETS } });
      const leaked = proxy.leakedAuthorization();
      const taken = await ask(proxy, { ...upload, headers: OCTETS });

      assert.notEqual(new URL(path).origin, proxy.url);
      assert.deepEqual([refused.status, leaked], [400, 1]);
      assert.deepEqual([taken.status, proxy.leakedAuthorization()], [201, 1]);
    });

    test('redirects a blob to another origin, where it is given whole or by ranges', async () => {
      await pushImage(proxy, { repository: 'team/app', tag: 'v1', layers: [LAYER] });
      const headers = { authorization: await bearer(proxy) };
      proxy.faults.add({ method: 'GET', class: 'blob', redirect: 307 });

      const asked = await ask(proxy, { path: `/v2/team/app/blobs/${LAYER.digest}`, headers });
      const path = asked.headers.location ?? '';
      const whole = await ask(proxy, { path });
      const part = await ask(proxy, { path, headers: { range: 'bytes=299000-' } });
      const unsigned = await ask(proxy, { path: path.replace(/elsewhere\/[^/]+/, 'elsewhere/x') });

      assert.notEqual(new URL(path).origin, proxy.url);
      assert.deepEqual([asked.status, whole.status, part.status], [307, 200, 206]);
      assert.equal(digestOf(whole.body), LAYER.digest);
      assert.deepEqual(part.body, whole.body.subarray(299_000));
      assert.equal(unsigned.status, 403);
      assert.equal(proxy.log.count('GET', 'elsewhere'), 3);
    });
  });

describe('a fault proxy', () => {
  let registry: TestRegistry;
  let proxy: FaultProxy;
  let image: PushedImage;
  const blob = `/v2/team/app/blobs/${LAYER.digest}`;
  const get = (asked: Partial<ClientRequest> = {}) => ask(proxy, { path: blob, ...asked });

  beforeEach(async () => {
    registry = await startRegistry();
    proxy = await startFaultProxy(registry);
    image = await pushImage(proxy, { repository: 'team/app', tag: 'v1', layers: [LAYER] });
  });
  afterEach(async () => {
    await proxy.close();
    await registry.close();
  });

  test('answers in place of the registry, which hears nothing', async () => {
    proxy.faults.add({ answer: { status: 429, headers: { 'retry-after': '7' } }, times: 1 });

    const refused = await get({ method: 'DELETE' });

    assert.equal(refused.status, 429);
    assert.equal(refused.headers['retry-after'], '7');
    assert.deepEqual(errorCodes(refused), ['TOOMANYREQUESTS']);
    assert.equal(registry.log.count(), 0);
  });

  test('closes the connection before anything is done', async () => {
    proxy.faults.add({ reset: true, times: 1 });

    await assert.rejects(get({ method: 'DELETE' }), { code: 'ECONNRESET' });

    assert.equal((await get()).status, 200);
  });

  test('closes the connection after all is done, or answers something else', async () => {
    proxy.faults.add(
      { resetAfter: true, times: 1 },
      { answerAfter: { status: 500, body: 'oh' }, times: 1 },
    );
    const [config] = image.blobs;

    await assert.rejects(get({ method: 'DELETE' }), { code: 'ECONNRESET' });
    const other = await get({
      method: 'DELETE',
      path: `/v2/team/app/blobs/${config?.digest}`,
    });

    assert.deepEqual([other.status, `${other.body}`], [500, 'oh']);
    assert.equal(registry.store.repositories.get('team/app')?.blobs.size, 0);
  });

  test('closes the connection after some bytes of the answer', async () => {
    proxy.faults.add({ dropAfter: 200_001, times: 1 });

    const { response, received } = await receive(`${proxy.url}${blob}`);
    await assert.rejects(once(response, 'end'), { code: 'ECONNRESET' });

    assert.equal(response.headers['content-length'], `${LAYER.size}`);
    assert.deepEqual(Buffer.concat(received), LAYER.bytes.subarray(0, 200_001));
    await proxy.settle();
    assert.equal(proxy.log.records[0]?.bytesOut, 200_001);
  });

  test('closes the connection behind the head of the answer', async () => {
    proxy.faults.add({ dropAfter: 0, times: 1 });

    const { response, received } = await receive(`${proxy.url}${blob}`);
    await assert.rejects(once(response, 'end'), { code: 'ECONNRESET' });

    assert.equal(response.statusCode, 200);
    assert.deepEqual(received, []);
  });

  test('stops after some bytes of the answer until the client goes', async () => {
    proxy.faults.add({ stallAfter: 10, times: 1 });

    const { asked, response } = await receive(`${proxy.url}${blob}`);
    const [chunk] = await once(response, 'data');
    response.on('error', () => undefined);
    asked.destroy();

    assert.equal(chunk.length, 10);
    await proxy.settle();
    assert.equal(proxy.log.records[0]?.bytesOut, 10);
  });

  test('stops after some bytes of an upload, which leaves the client waiting', async () => {
    const opened = await get({ method: 'POST', path: UPLOADS });
    proxy.faults.add({ class: 'upload', stallUploadAfter: 70_000, times: 1 });
    const asked = request(withDigest(opened, LAYER.digest), { method: 'PUT', agent: false });
    asked.on('error', () => undefined);
    asked.end(LAYER.bytes);

    await until(() => [...registry.store.uploads.values()].some(({ size }) => size === 70_000));

    await proxy.settle();
    asked.destroy();
    const [stalled] = proxy.log.select('PUT');
    assert.deepEqual([stalled?.status, stalled?.bytesIn], [0, 70_000]);
  });

  test('hands on what the registry sends as it comes', async () => {
    registry.faults.add({ stallAfter: 10, times: 1 });

    const { asked, response } = await receive(`${proxy.url}${blob}`);
    const [chunk] = await once(response, 'data');
    response.on('error', () => undefined);
    asked.destroy();

    assert.equal(chunk.length, 10);
    await proxy.settle();
  });

  test('makes a well-formed answer that is too short', async () => {
    proxy.faults.add({ truncateTo: 70_000 });

    const short = await get();

    assert.equal(short.headers['content-length'], '70000');
    assert.deepEqual(short.body, LAYER.bytes.subarray(0, 70_000));
  });

  test('makes one byte of an answer wrong', async () => {
    proxy.faults.add({ corruptAt: 150_000, times: 1 });

    const wrong = await get();
    const right = await get();

    assert.notEqual(wrong.body[150_000], right.body[150_000]);
    assert.equal(digestOf(right.body), LAYER.digest);
    assert.deepEqual(wrong.body.subarray(0, 150_000), right.body.subarray(0, 150_000));
    assert.deepEqual(wrong.body.subarray(150_001), right.body.subarray(150_001));
  });

  test('makes one byte of an upload wrong, which the registry finds', async () => {
    const other = makeLayer('other', 300_000);
    const opened = await get({ method: 'POST', path: UPLOADS });
    proxy.faults.add({ method: 'PUT', corruptUploadAt: 299_999 });

    const refused = await get({
      ...{ method: 'PUT', path: withDigest(opened, other.digest), headers: OCTETS },
      body: other.bytes,
    });

    assert.equal(refused.status, 400);
    assert.deepEqual(errorCodes(refused), ['DIGEST_INVALID']);
  });

  test('replaces the body, and takes headers away or falsifies them', async () => {
    const headers = { 'docker-content-digest': undefined, 'content-type': 'text/html' };
    proxy.faults.add({ method: 'GET', body: '<html>', headers }, { method: 'HEAD', headers });

    const replaced = await get();
    const head = await get({ method: 'HEAD' });

    assert.equal(`${replaced.body}`, '<html>');
    assert.equal(replaced.headers['docker-content-digest'], undefined);
    assert.equal(head.headers['docker-content-digest'], undefined);
    assert.equal(head.headers['content-type'], 'text/html');
    assert.equal(head.headers['content-length'], `${LAYER.size}`);
  });

  test('promises more bytes than come, or says nothing of their number', async () => {
    proxy.faults.add({ headers: { 'content-length': `${LAYER.size + 1}` }, times: 1 });
    proxy.faults.add({ headers: { 'content-length': undefined }, times: 1 });

    await assert.rejects(get(), { code: 'ECONNRESET' });
    const none = await get();

    assert.equal(none.headers['content-length'], undefined);
    assert.equal(digestOf(none.body), LAYER.digest);
  });

  test('writes addresses in every way that is allowed', async () => {
    for (const address of ['relative', 'absolute', 'with a query'] as const)
      proxy.faults.add({ class: 'upload', address, times: 1 });
    const open = async () =>
      (await get({ method: 'POST', path: UPLOADS })).headers.location ?? 'none';

    const [relative, absolute, queried] = [await open(), await open(), await open()];

    assert.match(relative, /^\/v2\/team\/app\/blobs\/uploads\/[^/]+\?_state=/);
    assert.match(absolute, /^http:\/\/127\.0\.0\.1:\d+\/v2\/team\/app\/blobs\/uploads\//);
    assert.equal(new URL(absolute).origin, proxy.url);
    assert.match(queried, /\?_state=[^&]+&upload=a\+b%2F~\*$/);
  });

  test('gives tags in pages whose links lead on here, or elsewhere', async () => {
    for (const tag of ['v2', 'v3']) await pushImage(registry, { repository: 'team/app', tag });
    const path = '/v2/team/app/tags/list?n=1000';
    proxy.faults.add({ class: 'tags', pageSize: 2, times: 1 });
    proxy.faults.add({ class: 'tags', pageSize: 2, address: 'absolute', times: 1 });
    proxy.faults.add({ class: 'tags', pageSize: 2, address: 'elsewhere', times: 1 });

    const [relative, absolute, elsewhere] = [
      await get({ path }),
      await get({ path }),
      await get({ path }),
    ];

    assert.deepEqual(JSON.parse(`${relative.body}`).tags, ['v1', 'v2']);
    assert.equal(linkIn(relative), '/v2/team/app/tags/list?last=v2&n=2');
    assert.equal(linkIn(absolute), `${proxy.url}/v2/team/app/tags/list?last=v2&n=2`);
    assert.notEqual(new URL(linkIn(elsewhere)).origin, proxy.url);
    const rest = await get({ path: linkIn(elsewhere) });
    assert.deepEqual(JSON.parse(`${rest.body}`).tags, ['v3']);
  });

  test('forgets to mount, and to give ranges', async () => {
    proxy.faults.add({ class: 'mount', ignore: 'mount' }, { class: 'blob', ignore: 'range' });

    const mounted = await get({
      method: 'POST',
      path: `/v2/team/other/blobs/uploads/?mount=${LAYER.digest}&from=team/app`,
    });
    const ranged = await get({ headers: { range: 'bytes=10-' } });

    assert.equal(mounted.status, 202);
    assert.deepEqual([ranged.status, ranged.body.length], [200, LAYER.size]);
  });

  test('goes away with all its connections until it comes back to the same port', async () => {
    registry.faults.add({ stallAfter: 10, times: 1 });
    const { response } = await receive(`${proxy.url}${blob}`);
    const broken = assert.rejects(once(response, 'end'), { code: 'ECONNRESET' });

    await proxy.goAway();

    await broken;
    await assert.rejects(get(), { code: 'ECONNREFUSED' });
    await proxy.comeBack();
    assert.equal((await get()).status, 200);
  });

  test('goes away by itself for a while', async () => {
    proxy.faults.add({ nth: 2, away: 1 });

    const before = await get();
    await assert.rejects(get(), { code: 'ECONNRESET' });
    const after = await eventually(get);

    assert.deepEqual([before.status, after.status], [200, 200]);
  });

  test('has faults that end by themselves', async () => {
    const fault = { class: 'blob', answer: { status: 503 }, lasts: 50 } as const;
    proxy.faults.add(fault);

    const first = await get();
    const last = await eventually(async () => {
      const { status } = await get();
      return status === 200 ? status : undefined;
    });

    assert.deepEqual([first.status, last], [503, 200]);
    assert.ok(proxy.faults.applied(fault) >= 1);
  });

  test('can be closed while it is away, and with requests under way', async () => {
    registry.faults.add({ stallAfter: 10, times: 1 });
    const { response } = await receive(`${proxy.url}${blob}`);
    response.on('error', () => undefined);
    proxy.faults.add({ away: Number.POSITIVE_INFINITY });
    await assert.rejects(get());

    await proxy.close();

    await assert.rejects(get(), { code: 'ECONNREFUSED' });
  });
});

const ask = (proxy: FaultProxy, asked: ClientRequest) =>
  send(proxy.url, { agent: 'a client', ...asked });

async function bearer(proxy: FaultProxy): Promise<string> {
  const query = 'service=test-registry&scope=repository:team/app:pull,push';
  const headers = { authorization: basicAuthorization(PUSHER) };
  const { body } = await ask(proxy, { path: `/token?${query}`, headers });
  return `Bearer ${JSON.parse(`${body}`).token}`;
}

function realmAt(realm: string): RegExp {
  return new RegExp(`^Bearer realm="${realm}",service="test-registry"`);
}

function withDigest({ headers }: ClientResponse, digest: string): string {
  return `${headers.location}&digest=${digest}`;
}

function linkIn({ headers }: ClientResponse): string {
  return /^<([^>]*)>; rel="next"$/.exec(`${headers['link']}`)?.[1] ?? 'none';
}

/** Asks for something, and gathers what comes. */
async function receive(url: string) {
  const asked = request(url, { agent: false });
  asked.on('error', () => undefined);
  asked.end();
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  const received: Buffer[] = [];
  response.on('data', (chunk: Buffer) => received.push(chunk));
  return { asked, response, received };
}

/** Lets everything else go on until something is true; gives up after a while. */
async function until(condition: () => boolean): Promise<void> {
  for (let turn = 0; turn < 100_000 && !condition(); turn += 1)
    await new Promise((resolve) => void setImmediate(resolve));
  assert.ok(condition());
}

/** Asks until there is an answer; gives up after a while. */
async function eventually<Result>(work: () => Promise<Result | undefined>): Promise<Result> {
  for (let turn = 0; turn < 10_000; turn += 1) {
    const result = await work().catch(() => undefined);
    if (result !== undefined) return result;
  }
  throw new Error('it never came about');
}
