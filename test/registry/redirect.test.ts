import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, type TestContext, test } from 'node:test';
import { redirected, within } from '../../src/registry/redirect.ts';
import { type HttpRequest, openTransport } from '../../src/registry/transport.ts';
import { startRegistry, type TestRegistry } from '../support/registry.ts';
import { collect, content, open, openBare } from './opening.ts';

const BLOB = content(randomBytes(10_000));

describe('a redirect', () => {
  let registry: TestRegistry;
  beforeEach(async () => {
    registry = await startRegistry({ auth: 'basic' });
  });
  afterEach(() => registry.close());

  const bare = (context: TestContext) => {
    const { transport, close } = openTransport({});
    context.after(close);
    return transport;
  };
  const send = (context: TestContext, request: Partial<HttpRequest> = {}) => {
    const transport = bare(context);
    const url = new URL('/v2/start', registry.url);
    return redirected(transport)(transport)({ method: 'GET', url, ...request });
  };

  for (const status of [301, 302, 303, 307, 308] as const)
    test(`by ${status} to another origin leaves the login behind and keeps the range`, async (context) => {
      const repository = await open(context, registry);
      await repository.putBlob(BLOB.descriptor, BLOB.open, {});
      registry.faults.add({ method: 'GET', class: 'blob', redirect: status });

      const bytes = await collect(await repository.openBlob(BLOB.descriptor, 5000));

      assert.ok(bytes.equals(BLOB.bytes.subarray(5000)));
      assert.equal(registry.leakedAuthorization(), 0);
      const [elsewhere] = registry.log.select('GET', 'elsewhere');
      assert.equal(elsewhere?.headers.range, 'bytes=5000-');
      const asked = registry.log.select('GET', 'blob').at(-1);
      assert.ok(asked?.headers.authorization);
    });

  test('to the same origin keeps the login', async (context) => {
    registry.faults.add({ path: /start$/, answer: { status: 307, headers: { location: './' } } });

    const response = await send(context, { headers: { authorization: 'Basic x' } });

    assert.equal(response.url.href, `${registry.url}/v2/`);
    assert.equal(registry.log.records.at(-1)?.headers.authorization, 'Basic x');
  });

  test('that never ends is given up', async (context) => {
    registry.faults.add({ answer: { status: 302, headers: { location: '/v2/start' } } });

    const response = await send(context);

    assert.equal(response.status, 302);
    assert.equal(registry.log.count(), 6);
  });

  for (const [what, headers] of Object.entries<Record<string, string>>({
    'without an address': {},
    'to no address': { location: 'http://[' },
  }))
    test(`${what} is an answer like any other`, async (context) => {
      registry.faults.add({ answer: { status: 302, headers } });

      const response = await send(context);

      assert.equal(response.status, 302);
      assert.equal(registry.log.count(), 1);
    });

  for (const method of ['PUT', 'POST', 'DELETE'] as const)
    test(`of ${method} is not followed`, async (context) => {
      registry.faults.add({ answer: { status: 307, headers: { location: '/v2/' } } });

      const response = await send(context, { method });

      assert.equal(response.status, 307);
      assert.equal(registry.log.count(), 1);
    });

  test('to a busy storage service is tried as often as any other request', async (context) => {
    const plain = await startRegistry();
    context.after(() => plain.close());
    await openBare(context, plain).putBlob(BLOB.descriptor, BLOB.open, {});
    plain.faults.add(
      { method: 'GET', class: 'blob', redirect: 307 },
      { class: 'elsewhere', answer: { status: 503 }, times: 3 },
    );

    const bytes = await collect(await (await open(context, plain)).openBlob(BLOB.descriptor, 0));

    assert.ok(bytes.equals(BLOB.bytes));
    assert.equal(plain.log.count('GET', 'elsewhere'), 4);
    assert.equal(plain.log.count('GET', 'blob'), 4);
  });
});

test('requests to other origins take the other way', async () => {
  const way = (name: string) => async () => name as never;
  const send = within('https://r.example', way('foreign'))(way('home'));
  const to = (address: string) => send({ method: 'PUT', url: new URL(address) });

  assert.equal(await to('https://r.example/v2/'), 'home');
  assert.equal(await to('https://r.example:443/v2/'), 'home');
  for (const address of ['http://r.example/', 'https://r.example:8443/', 'https://x.r.example/'])
    assert.equal(await to(address), 'foreign');
});
