import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, type TestContext, test } from 'node:test';
import { delayBefore } from '../../src/registry/backoff.ts';
import { NetworkError } from '../../src/registry/errors.ts';
import { REQUEST_RETRIES, retried } from '../../src/registry/retry.ts';
import { type HttpRequest, openTransport } from '../../src/registry/transport.ts';
import { startRegistry, type TestRegistry } from '../support/registry.ts';
import { failureOf, QUICK, quickPaces } from './opening.ts';

describe('a request', () => {
  let registry: TestRegistry;
  beforeEach(async () => {
    registry = await startRegistry();
  });
  afterEach(() => registry.close());
  const send = (context: TestContext, request: Partial<HttpRequest> = {}) => {
    const { transport, close } = openTransport({});
    context.after(close);
    const url = new URL('/v2/', registry.url);
    return retried(QUICK, quickPaces())(transport)({ method: 'GET', url, ...request });
  };

  for (const status of [408, 429, 500, 502, 503, 504])
    test(`is sent again after ${status}`, async (context) => {
      registry.faults.add({ answer: { status }, times: 2 });

      const response = await send(context);

      assert.equal(response.status, 200);
      assert.equal(registry.log.count(), 3);
    });

  for (const status of [200, 201, 307, 400, 401, 403, 404, 405, 409, 413, 416, 501])
    test(`is not sent again after ${status}`, async (context) => {
      registry.faults.add({ answer: { status } });

      const response = await send(context);

      assert.equal(response.status, status);
      assert.equal(registry.log.count(), 1);
    });

  test('is sent again when its connection breaks', async (context) => {
    registry.faults.add({ reset: true, times: 3 });

    const response = await send(context);

    assert.equal(response.status, 200);
  });

  test('ends with the last answer or failure', async (context) => {
    registry.faults.add({ answer: { status: 503 } });
    const refused = await send(context);
    registry.faults.clear();
    registry.faults.add({ reset: true });
    const error = await failureOf(send(context));

    // Who is told to slow down is more patient than who meets a broken connection.
    assert.equal(refused.status, 503);
    assert.ok(error instanceof NetworkError);
    assert.equal(registry.log.count(), 9 + 4);
  });

  test('with bytes sends them again', async (context) => {
    registry.faults.add({ answerAfter: { status: 503 }, times: 1 });
    const body = Buffer.from('bytes');
    const url = new URL('/v2/team/app/blobs/uploads/', registry.url);

    const response = await send(context, { method: 'POST', url, body });

    assert.equal(response.status, 202);
    assert.equal(registry.log.count(), 2);
  });

  test('whose body is opened for it is sent once', async (context) => {
    registry.faults.add({ answer: { status: 503 } });
    let opened = 0;
    async function* one() {
      yield Buffer.from('x');
    }

    const response = await send(context, {
      method: 'POST',
      headers: { 'content-length': '1' },
      body: async () => {
        opened += 1;
        return one();
      },
    });

    assert.equal(response.status, 503);
    assert.equal(opened, 1);
    assert.equal(registry.log.count(), 1);
  });

  test('is not sent again once it is aborted', async (context) => {
    const controller = new AbortController();
    registry.faults.add({
      answer: { status: 503 },
      where: () => {
        controller.abort();
        return true;
      },
    });

    const error = await failureOf(send(context, { signal: controller.signal }));
    await registry.settle();

    assert.equal(error.name, 'AbortError');
    assert.equal(registry.log.count(), 1);
  });
});

test('pauses double, with jitter, up to a limit', () => {
  const delays = Array.from({ length: 20 }, (_, attempt) => delayBefore(attempt, REQUEST_RETRIES));

  for (const [attempt, delay] of delays.entries()) {
    const full = Math.min(10_000, 250 * 2 ** attempt);
    assert.ok(delay >= full / 2 && delay <= full, `${attempt}: ${delay}`);
  }
});
