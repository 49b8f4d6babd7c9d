import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, type TestContext, test } from 'node:test';
import { paced, retryAfterMs, type Wait } from '../../src/registry/pace.ts';
import { type HttpResponse, openTransport } from '../../src/registry/transport.ts';
import { startRegistry, type TestRegistry } from '../support/registry.ts';
import { failureOf } from './opening.ts';

describe('a host that asks to wait', () => {
  let registry: TestRegistry;
  const waits: Wait[] = [];
  beforeEach(async () => {
    registry = await startRegistry();
    waits.length = 0;
  });
  afterEach(() => registry.close());

  const opened = (context: TestContext) => {
    const { transport, close } = openTransport({});
    context.after(close);
    const send = paced((wait) => waits.push(wait))(transport);
    const url = new URL('/v2/', registry.url);
    return (signal?: AbortSignal) => send({ method: 'GET', url, signal });
  };
  const busy = (retryAfter: string, times = 1) =>
    registry.faults.add({
      answer: { status: 429, headers: { 'retry-after': retryAfter } },
      times,
    });

  test('is left alone by all requests until then', async (context) => {
    busy('1');
    const send = opened(context);
    await send();
    const answered = Date.now();

    await Promise.all([send(), send(), send()]);

    // The clocks of timers and of dates may differ by a little.
    assert.ok(Date.now() - answered >= 950);
    assert.deepEqual(waits, [{ host: registry.host, status: 429, waitMs: 1000 }]);
    assert.equal(registry.log.count(), 4);
  });

  test('is announced once for all the requests that were on their way', async (context) => {
    busy('1', 10);
    const send = opened(context);

    await Promise.all(Array.from({ length: 10 }, () => send()));

    assert.equal(waits.length, 1);
  });

  test('but not for how long, is no news', async (context) => {
    busy('0');
    const send = opened(context);

    await send();
    const { status } = await send();

    assert.equal(status, 200);
    assert.deepEqual(waits, []);
  });

  test('does not keep a request that is aborted', async (context) => {
    busy('100');
    const send = opened(context);
    await send();
    const controller = new AbortController();

    const given = failureOf(send(controller.signal));
    controller.abort();

    assert.equal((await given).name, 'AbortError');
    assert.equal(registry.log.count(), 1);
  });
});

describe('Retry-After', () => {
  const of = (value: string | undefined, status = 429) =>
    retryAfterMs({ status, header: () => value } as unknown as HttpResponse);

  test('is seconds', () => {
    assert.equal(of('7'), 7000);
    assert.equal(of(' 0 '), 0);
  });

  test('is a date', (context) => {
    context.mock.timers.enable({ apis: ['Date'], now: Date.parse('2026-01-01T00:00:00Z') });

    assert.equal(of('Thu, 01 Jan 2026 00:00:30 GMT'), 30_000);
    assert.equal(of('Wed, 31 Dec 2025 00:00:30 GMT'), 0);
  });

  test('is not obeyed for longer than two minutes', () => {
    assert.equal(of('86400'), 120_000);
    assert.equal(of('9'.repeat(400)), 120_000);
    assert.equal(of('Thu, 01 Jan 2099 00:00:30 GMT'), 120_000);
  });

  test('counts for 429 and 503 only, and only where it is understood', () => {
    assert.equal(of('7', 503), 7000);
    assert.equal(of('7', 500), undefined);
    assert.equal(of('7', 200), undefined);
    assert.equal(of('soon'), undefined);
    assert.equal(of(undefined), undefined);
    assert.equal(of(''), undefined);
  });
});
