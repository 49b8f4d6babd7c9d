import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { after, afterEach, before, describe, type TestContext, test } from 'node:test';
import { NetworkError } from '../../src/registry/errors.ts';
import { openTransport, type TransportOptions } from '../../src/registry/transport.ts';
import { type Certificates, makeCertificates } from '../support/certificates.ts';
import { run } from '../support/process.ts';
import { startRegistry, type TestRegistry } from '../support/registry.ts';
import type { RegistryOptions } from '../support/registry-options.ts';
import { live } from './environment.ts';
import { collect, failureOf } from './opening.ts';
import { startProxy } from './proxy.ts';

let certificates: Certificates;
let registry: TestRegistry;

before(async () => {
  certificates = await makeCertificates();
});
after(() => certificates.remove());
afterEach(() => registry.close());

async function begin(options: RegistryOptions = {}): Promise<URL> {
  registry = await startRegistry(options);
  return new URL('/v2/', registry.url);
}

function opened(context: TestContext, options: TransportOptions = {}) {
  const { transport, close } = openTransport(options);
  context.after(close);
  return transport;
}

describe('a transport over TLS', () => {
  test('trusts no certificate of an unknown authority', async (context) => {
    const url = await begin({ tls: certificates });

    const error = await failureOf(opened(context)({ method: 'GET', url }));

    assert.ok(error instanceof NetworkError);
    assert.equal(error.code, 'TLS');
    assert.equal(error.transient, false);
    assert.match(error.message, new RegExp(`^${registry.host}: its certificate`));
    assert.equal(registry.log.count(), 0);
  });

  test('trusts those of the given authority', async (context) => {
    const url = await begin({ tls: certificates });

    const { status } = await opened(context, { ca: certificates.authority })({
      method: 'GET',
      url,
    });

    assert.equal(status, 200);
  });

  test('goes on trusting the authorities that Node was told of', async (context) => {
    const url = await begin({ tls: certificates });
    const others = await makeCertificates();
    context.after(() => others.remove());
    const source = new URL('../../src/registry/transport.ts', import.meta.url);
    const script = `
      import { readFileSync } from 'node:fs';
      import { openTransport } from ${JSON.stringify(source.href)};
      const ca = readFileSync(${JSON.stringify(others.files.authority)}, 'utf8');
      const { transport, close } = openTransport({ ca });
      const { status } = await transport({ method: 'GET', url: new URL(${JSON.stringify(url.href)}) });
      console.log(status);
      await close();`;

    const { stdout, stderr } = await run(
      process.execPath,
      ['--input-type=module', '--eval', script],
      { environment: { NODE_EXTRA_CA_CERTS: certificates.files.authority } },
    );

    assert.equal(stdout, '200\n', stderr);
  });

  test('trusts every certificate when it is told not to look', async (context) => {
    const url = await begin({ tls: certificates });

    const { status } = await opened(context, { verify: false })({ method: 'GET', url });

    assert.equal(status, 200);
  });

  test('shows its own certificate', async (context) => {
    await begin();
    const { certificate, key, authority } = certificates;
    const server = createServer(
      { cert: certificate, key, ca: authority, requestCert: true, rejectUnauthorized: true },
      (_, response) => void response.end('welcome'),
    );
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    context.after(() => {
      server.close();
      server.closeAllConnections();
    });
    const url = new URL(`https://127.0.0.1:${(server.address() as AddressInfo).port}/`);

    const known = await opened(context, { ca: authority, cert: certificate, key })({
      method: 'GET',
      url,
    });
    const unknown = await failureOf(opened(context, { ca: authority })({ method: 'GET', url }));

    assert.equal(`${await collect(known.body)}`, 'welcome');
    // TLS 1.3 lets the client send first; what it sees then is either the alert or the end of the connection.
    assert.ok(unknown instanceof NetworkError);
  });

  test('says that a plain server does not speak it', async (context) => {
    const url = await begin();
    url.protocol = 'https:';

    const error = await failureOf(opened(context)({ method: 'GET', url }));

    assert.match(error.message, /does not speak TLS/);
  });

  test('says that a PEM text is none', async (context) => {
    const url = await begin({ tls: certificates });

    const error = await failureOf(
      opened(context, { cert: 'nonsense', key: 'hunter2' })({ method: 'GET', url }),
    );

    assert.ok(error instanceof NetworkError);
    assert.doesNotMatch(error.message, /hunter2/);
  });
});

describe('a transport', () => {
  test('uses its connections again and again, also after HEAD and discarded bodies', async (context) => {
    const url = await begin();
    const transport = opened(context);

    for (let round = 0; round < 2; round += 1)
      for (const method of ['HEAD', 'GET', 'HEAD', 'POST', 'GET', 'HEAD'] as const)
        await (await transport({ method, url })).discard();

    // The pool may open a second one while it does not know yet that the first has come free.
    assert.ok(registry.connections() <= 2);
    assert.equal(registry.log.count(), 12);
  });

  test('says that nothing answers', async (context) => {
    const url = await begin();
    await registry.close();

    const error = await failureOf(opened(context)({ method: 'GET', url }));
    registry = await startRegistry();

    assert.ok(error instanceof NetworkError);
    assert.equal(error.message, `${url.host}: nothing answers there (connection refused)`);
    assert.ok(error.transient);
  });

  test('says that a host is unknown, for good', async (context) => {
    await begin();

    const error = await failureOf(
      opened(context)({ method: 'GET', url: new URL('http://no.such.host.invalid/') }),
    );

    assert.ok(error instanceof NetworkError);
    assert.match(error.code, /^(UNKNOWN_HOST|NETWORK)$/);
  });

  test('says whose body was cut', async (context) => {
    const url = await begin();
    registry.faults.add({ body: 'x'.repeat(1000), dropAfter: 10 });
    const response = await opened(context)({ method: 'GET', url });

    const error = await failureOf(collect(response.body));

    assert.ok(error instanceof NetworkError);
    assert.equal(error.message, `${registry.host}: the connection was cut`);
    assert.ok(error.transient);
  });

  test('does not start what is aborted already', async (context) => {
    const url = await begin();

    const error = await failureOf(
      opened(context)({ method: 'GET', url, signal: AbortSignal.abort() }),
    );

    assert.equal(error.name, 'AbortError');
    assert.equal(registry.log.count(), 0);
  });

  test('ends the requests of a run that gives up', async (context) => {
    const url = await begin();
    const { transport, close } = openTransport({});
    context.after(close);
    let asked: () => void = () => undefined;
    const waiting = new Promise<void>((resolve) => {
      asked = resolve;
    });
    registry.faults.add({
      wait: new Promise(() => undefined),
      where: () => {
        asked();
        return true;
      },
    });

    const given = failureOf(transport({ method: 'GET', url }));
    await waiting;
    await close();

    assert.ok((await given) instanceof Error);
    await registry.settle();
  });
});

describe('a proxy', () => {
  const NONE = {
    ...{ http_proxy: '', https_proxy: '', no_proxy: '' },
    ...{ HTTP_PROXY: '', HTTPS_PROXY: '', NO_PROXY: '' },
  };

  test('of HTTPS_PROXY opens a tunnel, inside which certificates are checked', async (context) => {
    const url = await begin({ tls: certificates });
    const proxy = await startProxy(context);
    live(context, { https_proxy: proxy.url });

    const { status } = await opened(context, { ca: certificates.authority })({
      method: 'GET',
      url,
    });
    const error = await failureOf(opened(context)({ method: 'GET', url }));
    const careless = await opened(context, { verify: false })({ method: 'GET', url });

    assert.deepEqual([status, careless.status], [200, 200]);
    assert.ok(error instanceof NetworkError);
    assert.equal(error.code, 'TLS');
    assert.ok(proxy.seen.every(({ request }) => request === `CONNECT ${url.host}`));
    assert.equal(proxy.seen.length, 3);
  });

  test('of HTTP_PROXY gets requests to plain registries', async (context) => {
    const url = await begin();
    const proxy = await startProxy(context);
    live(context, { HTTP_PROXY: proxy.url });

    const { status } = await opened(context)({
      method: 'PUT',
      url,
      body: Buffer.from('body'),
    });

    assert.ok(status < 500);
    assert.equal(proxy.seen.length, 1);
  });

  test('is passed by for the hosts of NO_PROXY', async (context) => {
    const url = await begin();
    const proxy = await startProxy(context);
    live(context, { HTTP_PROXY: proxy.url, NO_PROXY: 'example.com,127.0.0.1' });

    const { status } = await opened(context)({ method: 'GET', url });

    assert.equal(status, 200);
    assert.deepEqual(proxy.seen, []);
  });

  test('gets the login that its address holds, and nobody else does', async (context) => {
    const url = await begin({ tls: certificates });
    const proxy = await startProxy(context);
    live(context, { HTTPS_PROXY: proxy.url.replace('//', '//me:hunter2@') });

    await opened(context, { ca: certificates.authority })({ method: 'GET', url });

    const login = `Basic ${Buffer.from('me:hunter2').toString('base64')}`;
    assert.deepEqual(
      proxy.seen.map((each) => each.login),
      [login],
    );
    assert.equal(registry.log.records[0]?.headers['proxy-authorization'], undefined);
  });

  test('that refuses is an error without its login', async (context) => {
    const url = await begin({ tls: certificates });
    const proxy = await startProxy(context, { refuse: 407 });
    live(context, { HTTPS_PROXY: proxy.url.replace('//', '//me:hunter2@') });

    const error = await failureOf(opened(context)({ method: 'GET', url }));

    assert.ok(error instanceof NetworkError);
    assert.match(error.message, /407/);
    assert.doesNotMatch(error.message, /hunter2/);
  });

  test('is not there where the variables are empty', async (context) => {
    const url = await begin();
    live(context, NONE);

    const { status } = await opened(context)({ method: 'GET', url });

    assert.equal(status, 200);
  });
});
