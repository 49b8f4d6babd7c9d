import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, type TestContext, test } from 'node:test';
import { Pace, type PaceOptions, Paces, type Wait } from '../../src/registry/pace.ts';
import { profileOf } from '../../src/registry/profile.ts';
import { retried } from '../../src/registry/retry.ts';
import { retryAfterMs } from '../../src/registry/retry-after.ts';
import { type HttpResponse, openTransport } from '../../src/registry/transport.ts';
import { startRegistry, type TestRegistry } from '../support/registry.ts';
import { failureOf, QUICK } from './opening.ts';

describe('a host that asks to wait', () => {
  let registry: TestRegistry;
  const waits: Wait[] = [];
  beforeEach(async () => {
    registry = await startRegistry();
    waits.length = 0;
  });
  afterEach(() => registry.close());

  const opened = (context: TestContext, options: Partial<PaceOptions> = {}) => {
    const { transport, close } = openTransport({});
    context.after(close);
    const onWait = (wait: Wait) => void waits.push(wait);
    const paces = new Paces((host) => new Pace({ host, backoff: QUICK, onWait, ...options }));
    const send = retried(QUICK, paces)(transport);
    const url = new URL('/v2/', registry.url);
    return (signal?: AbortSignal, method: 'GET' | 'HEAD' = 'GET') => send({ method, url, signal });
  };
  const busy = (retryAfter: string, times = 1) =>
    registry.faults.add({
      answer: { status: 429, headers: { 'retry-after': retryAfter } },
      times,
    });
  const budget = (left: number) => ({
    'ratelimit-limit': '100;w=21600',
    'ratelimit-remaining': `${left};w=21600`,
  });

  test('is left alone by all requests until then', async (context) => {
    busy('1');
    const send = opened(context);
    const begun = Date.now();

    await Promise.all([send(), send(), send()]);

    // The clocks of timers and of dates may differ by a little.
    assert.ok(Date.now() - begun >= 950);
    assert.deepEqual(waits, [{ host: registry.host, status: 429, waitMs: 1000 }]);
    assert.equal(registry.log.count(), 4);
  });

  test('is announced once for all the requests that were on their way', async (context) => {
    busy('1', 10);
    const send = opened(context);

    const answers = await Promise.all(Array.from({ length: 10 }, () => send()));

    assert.equal(waits.length, 1);
    assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]));
  });

  test('but not for how long, is no news', async (context) => {
    busy('0');
    const send = opened(context);

    const { status } = await send();

    assert.equal(status, 200);
    assert.deepEqual(waits, []);
  });

  test('does not keep a request that is aborted', async (context) => {
    busy('100');
    const send = opened(context);
    const controller = new AbortController();

    const given = failureOf(send(controller.signal));
    await until(() => waits.length > 0);
    controller.abort();

    assert.equal((await given).name, 'AbortError');
    assert.equal(registry.log.count(), 1);
  });

  test('is asked by one request first, and then by the others', async (context) => {
    busy('0', 4);
    const send = opened(context);

    await Promise.all(Array.from({ length: 12 }, () => send()));

    // Of twelve at once, four were refused; had they all come back together, some might be refused again.
    assert.equal(registry.log.count(), 16);
  });

  test('for longer than anybody wants to wait is told on at once', async (context) => {
    busy('7200', 100);
    const send = opened(context);

    const { status } = await send();

    assert.equal(status, 429);
    assert.equal(registry.log.count(), 1);
    assert.deepEqual(waits, []);
  });

  test('and never serves anybody is given up', async (context) => {
    registry.faults.add({ answer: { status: 503 } });
    const send = opened(context);

    const answers = await Promise.all([send(), send(), send()]);

    assert.deepEqual(
      answers.map(({ status }) => status),
      [503, 503, 503],
    );
    assert.ok(registry.log.count() < 40, `${registry.log.count()}`);
  });

  test('but refuses one request and no other is not asked for that one for ever', async (context) => {
    registry.faults.add({ where: ({ method }) => method === 'HEAD', answer: { status: 429 } });
    const send = opened(context);
    let over = false;
    const others = (async () => {
      for (let count = 0; count < 200 && !over; count += 1) await send();
    })();

    const { status } = await send(undefined, 'HEAD').finally(() => {
      over = true;
    });
    await others;

    assert.equal(status, 429);
    assert.equal(registry.log.count('HEAD'), 9);
  });

  test('says which budget is used up, where it has one', async (context) => {
    registry.faults.add({
      answer: { status: 429, headers: { ...budget(0), 'retry-after': '1' } },
      times: 1,
    });
    const send = opened(context);

    await send();

    assert.deepEqual(waits, [
      {
        ...{ host: registry.host, status: 429, waitMs: 1000 },
        budget: { limit: 100, left: 0, windowMs: 21_600_000 },
      },
    ]);
  });
});

describe('a registry that takes ten requests a second', () => {
  let registry: TestRegistry;
  let refused: Map<string, number>;
  beforeEach(async () => {
    registry = await startRegistry();
    refused = new Map();
  });
  afterEach(() => registry.close());

  /** The rest is refused, by a window of a second or by a bucket that holds ten. */
  const limit = (status: number, kind: 'window' | 'bucket') => {
    let level = 10;
    let at = performance.now();
    registry.faults.add({
      where: ({ query }) => {
        const now = performance.now();
        if (kind === 'bucket') level = Math.min(10, level + ((now - at) / 1000) * 10);
        else if (Math.floor(now / 1000) !== Math.floor(at / 1000)) level = 10;
        at = now;
        if (level >= 1) {
          level -= 1;
          return false;
        }
        const name = query.get('name') ?? '';
        refused.set(name, (refused.get(name) ?? 0) + 1);
        return true;
      },
      answer: { status },
    });
  };

  for (const [status, kind] of [
    [429, 'window'],
    [503, 'bucket'],
  ] as const)
    test(`and says ${status} to all others serves everybody (${kind})`, async (context) => {
      const { transport, close } = openTransport({});
      context.after(close);
      limit(status, kind);
      const paces = new Paces((host) => new Pace({ host }));
      const send = retried(
        { retries: 3, firstDelayMs: 250, maximumDelayMs: 10_000 },
        paces,
      )(transport);
      const begun = performance.now();

      const answers = await Promise.all(
        Array.from({ length: 100 }, (_, name) =>
          send({ method: 'GET', url: new URL(`/v2/?name=${name}`, registry.url) }),
        ),
      );

      const most = Math.max(0, ...refused.values());
      const all = [...refused.values()].reduce((sum, count) => sum + count, 0);
      context.diagnostic(
        `${Math.round(performance.now() - begun)} ms, ${all} refusals, at most ${most} of one`,
      );
      assert.ok(answers.every((answer) => answer.status === 200));
      assert.ok(most <= 5, `one request was refused ${most} times`);
      assert.ok(all <= 200, `${all} refusals`);
    });
});

test('A ceiling spreads requests over time, and nothing has to be refused', async (context) => {
  context.mock.timers.enable({ apis: ['Date', 'setTimeout'], now: 1_000_000 });
  const pace = new Pace({ host: 'registry.example.com', ceiling: 10 });
  const gone: number[] = [];
  const request = { method: 'GET', url: new URL('https://registry.example.com/v2/') } as const;
  const all = Promise.all(
    Array.from({ length: 21 }, async () => {
      await pace.enter(request, false);
      gone.push(Date.now() - 1_000_000);
    }),
  );

  for (let step = 0; step < 250; step += 1) {
    context.mock.timers.tick(10);
    await Promise.resolve();
  }
  await all;

  assert.equal(gone.length, 21);
  assert.ok((gone[0] ?? 0) <= 10);
  assert.ok((gone.at(-1) ?? 0) >= 2000);
  for (const [index, at] of gone.entries()) assert.ok(at >= index * 100 - 10, `${index} at ${at}`);
});

describe('What is known of a registry', () => {
  test('is told by its host', () => {
    const names = [
      'swr.eu-west-101.myhuaweicloud.eu',
      '123456789012.dkr.ecr.eu-west-1.amazonaws.com',
      'ghcr.io',
      'docker.io',
      'swr.example.com',
    ];

    assert.deepEqual(
      names.map((name) => profileOf(name).name),
      ['Huawei Cloud SWR', 'Amazon ECR', 'GitHub Container Registry', 'Docker Hub', 'registry'],
    );
  });

  test('limits writes and not reads', async () => {
    const pace = new Pace({
      host: 'x',
      profile: { name: 'x', host: /x/, pieces: 'never', writesPerSecond: 0.001 },
    });
    const url = new URL('https://x/v2/');
    await pace.enter({ method: 'PUT', url }, false);
    const controller = new AbortController();

    const second = failureOf(pace.enter({ method: 'PUT', url, signal: controller.signal }, false));
    await pace.enter({ method: 'GET', url }, false);
    controller.abort();

    assert.equal((await second).name, 'AbortError');
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

  test('is a number that dates can still be counted with', () => {
    const month = 30 * 24 * 3_600_000;

    assert.equal(of('9'.repeat(400)), month);
    assert.equal(of('Thu, 01 Jan 2099 00:00:30 GMT'), month);
  });

  test('counts where asking again makes sense, and only where it is understood', () => {
    assert.equal(of('7', 503), 7000);
    assert.equal(of('7', 502), 7000);
    assert.equal(of('7', 404), undefined);
    assert.equal(of('7', 200), undefined);
    assert.equal(of('soon'), undefined);
    assert.equal(of(undefined), undefined);
    assert.equal(of(''), undefined);
  });
});

async function until(holds: () => boolean): Promise<void> {
  for (let turn = 0; turn < 1000 && !holds(); turn += 1)
    await new Promise((resolve) => setTimeout(resolve, 5));
}
