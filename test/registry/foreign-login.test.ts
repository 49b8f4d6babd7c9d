import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer as createPlainServer, type RequestListener, type Server } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import { openRegistries } from '../../src/registry/registry.ts';
import { makeCertificates } from '../support/certificates.ts';

const SECRET = 'hunter2';

interface Listening {
  readonly host: string;
  /** the Authorization headers that came */
  readonly logins: (string | undefined)[];
}

async function listen(
  context: TestContext,
  server: Server,
  answer: RequestListener,
): Promise<Listening> {
  const logins: (string | undefined)[] = [];
  server.on('request', (request, response) => {
    logins.push(request.headers.authorization);
    answer(request, response);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  context.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { host: `127.0.0.1:${(server.address() as AddressInfo).port}`, logins };
}

async function open(context: TestContext, host: string) {
  const registries = openRegistries({
    settingsFor: () => ({ insecure: true }),
    loginFor: async () => ({
      origin: 'a test',
      credential: { kind: 'password', username: 'me', password: SECRET },
    }),
  });
  context.after(() => registries.close());
  return registries.open({ registry: host, repository: 'team/app' }, 'pull');
}

const BLOB = {
  mediaType: 'application/octet-stream',
  digest: `sha256:${'0'.repeat(64)}`,
  size: 1,
} as const;

describe('A login', () => {
  test('is not given to a storage service that asks for one behind a redirect', async (context) => {
    const storage: Listening = await listen(context, createPlainServer(), (_, response) => {
      const challenge = `Bearer realm="http://${storage.host}/token",service="storage"`;
      response.writeHead(401, { 'www-authenticate': challenge }).end();
    });
    const registry = await listen(context, createPlainServer(), (request, response) => {
      if (request.headers.authorization === undefined)
        response.writeHead(401, { 'www-authenticate': 'Basic realm="registry"' }).end();
      else response.writeHead(307, { location: `http://${storage.host}/blob` }).end();
    });
    const repository = await open(context, registry.host);

    for (let time = 0; time < 2; time += 1)
      await assert.rejects(
        repository.openBlob(BLOB, 0),
        new RegExp(`${storage.host} answered 401`),
      );

    assert.ok(storage.logins.length > 0);
    assert.deepEqual(new Set(storage.logins), new Set([undefined]));
  });

  test('is not sent to a token service elsewhere whose certificate nobody knows', async (context) => {
    const { certificate: cert, key, remove } = await makeCertificates();
    context.after(remove);
    const service = await listen(context, createServer({ cert, key }), (_, response) => {
      response.end('{"token": "abc"}');
    });
    const registry = await listen(context, createServer({ cert, key }), (_, response) => {
      const challenge = `Bearer realm="https://${service.host}/token",service="registry"`;
      response.writeHead(401, { 'www-authenticate': challenge }).end();
    });
    const repository = await open(context, registry.host);

    await assert.rejects(repository.fetchManifest('v1'), /certificate/);

    assert.deepEqual(service.logins, []);
  });
});
