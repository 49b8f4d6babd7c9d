import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { digestOf } from '../../src/oci/digest.ts';
import { pushImage } from '../support/images.ts';
import type { PushedImage } from '../support/images-push.ts';
import { startRegistry, type TestRegistry } from '../support/registry.ts';
import { type ClientRequest, errorCodes, send } from '../support/registry-client.ts';

describe('a fault', () => {
  let registry: TestRegistry;
  let image: PushedImage;
  let blob: string;
  let size: number;
  const ask = (asked: Partial<ClientRequest> = {}) =>
    send(registry, { path: blob, agent: 'a client', ...asked });

  beforeEach(async () => {
    registry = await startRegistry();
    image = await pushImage(registry, { repository: 'team/app', tag: 'v1', layers: 1 });
    const layer = image.blobs[1];
    blob = `/v2/team/app/blobs/${layer?.digest}`;
    size = layer?.size ?? 0;
  });
  afterEach(() => registry.close());

  describe('is chosen', () => {
    const answer = { status: 503 };
    const statuses = async (count: number) => {
      const found: number[] = [];
      for (let number = 0; number < count; number += 1) found.push((await ask()).status);
      return found;
    };

    test('by method, class and path', async () => {
      registry.faults.add({ method: 'GET', class: 'blob', path: /team\/app/, answer });

      const head = await ask({ method: 'HEAD' });
      const ping = await ask({ path: '/v2/' });
      const other = await ask({ path: '/v2/team/other/blobs/sha256:0' });
      const got = await ask();

      assert.deepEqual([head.status, ping.status, got.status], [200, 200, 503]);
      assert.notEqual(other.status, 503);
      assert.equal(registry.faults.applied(), 1);
    });

    test('by anything else that a request has', async () => {
      registry.faults.add({ where: ({ headers }) => headers.range !== undefined, answer });

      const whole = await ask();
      const part = await ask({ headers: { range: 'bytes=1-' } });

      assert.deepEqual([whole.status, part.status], [200, 503]);
    });

    test('for the n-th request', async () => {
      registry.faults.add({ class: 'blob', nth: 2, answer });

      assert.deepEqual(await statuses(4), [200, 503, 200, 200]);
    });

    test('for each k-th request', async () => {
      registry.faults.add({ class: 'blob', every: 2, answer });

      assert.deepEqual(await statuses(4), [200, 503, 200, 503]);
    });

    test('so often, and then the next one', async () => {
      registry.faults.add({ times: 1, answer }, { times: 2, answer: { status: 429 } });

      assert.deepEqual(await statuses(4), [503, 429, 429, 200]);
    });

    test('no more once the table is cleared', async () => {
      registry.faults.add({ answer });
      registry.faults.clear();

      assert.deepEqual(await statuses(1), [200]);
    });
  });

  test('answers in place of the registry', async () => {
    const answer = { status: 429, headers: { 'retry-after': '7' } };
    registry.faults.add({ answer });

    const got = await ask({ method: 'DELETE' });

    assert.equal(got.status, 429);
    assert.equal(got.headers['retry-after'], '7');
    assert.deepEqual(errorCodes(got), ['TOOMANYREQUESTS']);
    assert.equal((await send(registry, { path: '/v2/' })).status, 429);
    registry.faults.clear();
    assert.equal((await ask()).status, 200);
  });

  test('answers with a body that is no JSON', async () => {
    registry.faults.add({ answer: { status: 502, body: '<html>Bad Gateway</html>' } });

    const got = await ask();

    assert.equal(`${got.body}`, '<html>Bad Gateway</html>');
  });

  test('answers after the registry has done the work', async () => {
    registry.faults.add({ answerAfter: { status: 500 } });

    const got = await ask({ method: 'DELETE' });

    registry.faults.clear();
    assert.equal(got.status, 500);
    assert.equal((await ask()).status, 404);
  });

  test('closes the connection before anything is done', async () => {
    registry.faults.add({ reset: true, times: 1 });

    await assert.rejects(ask({ method: 'DELETE' }), { code: 'ECONNRESET' });

    assert.equal((await ask()).status, 200);
  });

  test('closes the connection after all is done', async () => {
    registry.faults.add({ resetAfter: true, times: 1 });

    await assert.rejects(ask({ method: 'DELETE' }), { code: 'ECONNRESET' });

    assert.equal((await ask()).status, 404);
  });

  test('closes the connection after some bytes of the answer', async () => {
    registry.faults.add({ dropAfter: 10, times: 1 });

    const { headers, received } = await receive(`${registry.url}${blob}`);

    assert.equal(headers['content-length'], `${size}`);
    assert.equal(received.length, 10);
    await registry.settle();
    assert.equal(registry.log.records[0]?.bytesOut, 10);
  });

  test('stops after some bytes of the answer until the client goes', async () => {
    registry.faults.add({ stallAfter: 10, times: 1 });
    const asked = request(`${registry.url}${blob}`, { agent: false });
    asked.on('error', () => undefined);
    asked.end();

    const [response] = (await once(asked, 'response')) as [IncomingMessage];
    const [chunk] = await once(response, 'data');
    response.on('error', () => undefined);
    asked.destroy();

    assert.equal(chunk.length, 10);
    await registry.settle();
    assert.equal(registry.log.records[0]?.bytesOut, 10);
  });

  test('makes a well-formed answer that is too short', async () => {
    registry.faults.add({ truncateTo: 10 });

    const got = await ask();

    assert.equal(got.status, 200);
    assert.equal(got.headers['content-length'], '10');
    assert.equal(got.body.length, 10);
  });

  test('makes one byte wrong', async () => {
    registry.faults.add({ corruptAt: 5, times: 1 });

    const wrong = await ask();
    const right = await ask();

    assert.equal(wrong.body.length, size);
    assert.notEqual(wrong.body[5], right.body[5]);
    assert.equal(digestOf(right.body), image.blobs[1]?.digest);
    assert.deepEqual(wrong.body.subarray(6), right.body.subarray(6));
  });

  test('replaces the body', async () => {
    registry.faults.add({ class: 'ping', body: '"something else"' });

    const ping = await ask({ path: '/v2/' });

    assert.equal(ping.status, 200);
    assert.equal(`${ping.body}`, '"something else"');
  });

  test('takes headers away and falsifies them', async () => {
    registry.faults.add({
      headers: { 'docker-content-digest': undefined, 'content-type': 'text/plain' },
    });

    const head = await ask({ method: 'HEAD' });

    assert.equal(head.headers['docker-content-digest'], undefined);
    assert.equal(head.headers['content-type'], 'text/plain');
    assert.equal(head.headers['content-length'], `${size}`);
  });

  test('promises more bytes than come', async () => {
    registry.faults.add({ headers: { 'content-length': `${size + 1}` } });

    await assert.rejects(ask(), { code: 'ECONNRESET' });
  });

  test('says nothing of the length', async () => {
    registry.faults.add({ headers: { 'content-length': undefined } });

    const got = await ask();

    assert.equal(got.headers['content-length'], undefined);
    assert.equal(got.body.length, size);
  });

  test('makes requests wait until the test lets them go', async () => {
    let release = () => {};
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    registry.faults.add({ class: 'blob', wait: gate });

    const waiting = [ask(), ask(), ask()];
    await until(() => registry.maximumActive() === 3);
    release();
    const answers = await Promise.all(waiting);

    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 200, 200],
    );
    assert.equal(registry.maximumActive(), 3);
  });

  test('makes a request late', async () => {
    registry.faults.add({ class: 'blob', wait: 20 });

    const got = await ask();

    assert.equal(got.status, 200);
  });

  test('takes a token for ended', async () => {
    await registry.close();
    registry = await startRegistry({ auth: 'token' });
    registry.faults.add({ class: 'blob', unauthorized: true, times: 2 });

    const got = await ask({ path: '/v2/a/blobs/x' });

    assert.equal(got.status, 401);
    assert.match(got.headers['www-authenticate'] ?? '', /^Bearer .*error="invalid_token"$/);
  });

  test('forgets to mount', async () => {
    registry.faults.add({ class: 'mount', ignore: 'mount' });
    const digest = image.blobs[1]?.digest;

    const answer = await ask({
      method: 'POST',
      path: `/v2/team/other/blobs/uploads/?mount=${digest}&from=team/app`,
    });

    assert.equal(answer.status, 202);
    assert.equal(registry.store.uploads.size, 1);
  });

  test('gives everything where a range was asked for', async () => {
    registry.faults.add({ class: 'blob', ignore: 'range' });

    const got = await ask({ headers: { range: 'bytes=10-' } });

    assert.equal(got.status, 200);
    assert.equal(got.body.length, size);
  });

  test('closes the connection in the middle of an upload, which can be taken up', async () => {
    const bytes = Buffer.from('0123456789');
    const digest = digestOf(bytes);
    const started = await ask({ method: 'POST', path: '/v2/team/app/blobs/uploads/' });
    const location = started.headers.location ?? '';
    registry.faults.add({ method: 'PATCH', dropUploadAfter: 4, times: 1 });

    await assert.rejects(ask({ method: 'PATCH', path: location, body: bytes }));
    const state = await ask({ path: location });
    const rest = await ask({
      method: 'PATCH',
      path: state.headers.location ?? '',
      headers: { 'content-range': '4-9' },
      body: bytes.subarray(4),
    });
    const closed = await ask({
      method: 'PUT',
      path: `${rest.headers.location}&digest=${digest}`,
    });

    assert.equal(state.status, 204);
    assert.equal(state.headers.range, '0-3');
    assert.deepEqual([rest.status, closed.status], [202, 201]);
    const got = await ask({ path: `/v2/team/app/blobs/${digest}` });
    assert.deepEqual(got.body, bytes);
  });

  describe('redirects a blob to another origin', () => {
    beforeEach(() => registry.faults.add({ class: 'blob', method: 'GET', redirect: 307 }));

    test('where it is served whole and by ranges', async () => {
      const { status, headers } = await ask();
      const location = headers.location ?? '';

      const whole = await ask({ path: location });
      const part = await ask({ path: location, headers: { range: 'bytes=3-' } });

      assert.equal(status, 307);
      assert.notEqual(new URL(location).host, registry.host);
      assert.equal(digestOf(whole.body), image.blobs[1]?.digest);
      assert.equal(part.status, 206);
      assert.deepEqual(part.body, whole.body.subarray(3));
      assert.equal(registry.log.count('GET', 'elsewhere'), 2);
      assert.equal(registry.leakedAuthorization(), 0);
    });

    test('which refuses and counts who brings a login along', async () => {
      const { headers } = await ask();

      const refused = await ask({
        path: headers.location ?? '',
        headers: { authorization: 'Basic c2VjcmV0' },
      });

      assert.equal(refused.status, 400);
      assert.equal(registry.leakedAuthorization(), 1);
    });

    test('which wants its signature', async () => {
      const { headers } = await ask();
      const [unsigned = ''] = (headers.location ?? '').split('?');

      const refused = await ask({ path: unsigned });

      assert.equal(refused.status, 403);
    });
  });
});

/** What arrives before the connection is closed. */
async function receive(url: string) {
  const asked = request(url, { agent: false });
  asked.end();
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  const chunks: Buffer[] = [];
  response.on('data', (chunk: Buffer) => chunks.push(chunk));
  await assert.rejects(once(response, 'end'), { code: 'ECONNRESET' });
  return { headers: response.headers, received: Buffer.concat(chunks) };
}

/** Lets everything else go on until something is true; gives up after a while. */
async function until(condition: () => boolean): Promise<void> {
  for (let turn = 0; turn < 10_000 && !condition(); turn += 1)
    await new Promise((resolve) => void setImmediate(resolve));
  assert.ok(condition());
}
