import assert from 'node:assert/strict';
import { after, before, describe, type TestContext, test } from 'node:test';
import type { Repository } from '../../src/registry/repository.ts';
import { type Certificates, makeCertificates } from '../support/certificates.ts';
import { madeUp } from './contents.ts';
import { type Asked, meet, type Stranger } from './stranger.ts';
import { BASIC, loggedIn, visit } from './visit.ts';

const BLOB = { mediaType: 'application/octet-stream', digest: madeUp(1), size: 1 };
const STATUSES = [301, 302, 303, 307, 308] as const;

/** Everything that is read of a registry, each once; how it ends does not matter here. */
async function readAll(repository: Repository): Promise<void> {
  await Promise.allSettled([
    repository.resolve('v1'),
    repository.fetchManifest('v1'),
    repository.fetchManifest(madeUp(2)),
    repository.openBlob(BLOB, 0),
    repository.statBlob(BLOB),
    repository.hasBlob(BLOB),
    Array.fromAsync(repository.listTags()),
  ]);
}

/** A registry that sends everybody who logged in to an address, which may be its own under another name. */
function sending(status: number, address: () => string) {
  const send = loggedIn((request, response) => {
    const location = `${address()}/elsewhere${request.url}`;
    response.writeHead(status, { location }).end();
  });
  return (...[request, response]: Parameters<typeof send>) => {
    if (request.url?.startsWith('/elsewhere')) response.writeHead(404).end();
    else send(request, response);
  };
}

const arrivals = ({ asked }: Stranger): readonly Asked[] =>
  asked.filter(({ path }) => path.startsWith('/elsewhere'));

function assertWithoutLogin(stranger: Stranger): void {
  const came = arrivals(stranger);
  assert.ok(came.length >= 7, `${came.length} requests were sent on`);
  assert.deepEqual(new Set(came.map(({ authorization }) => authorization)), new Set([undefined]));
}

describe('A redirect takes no login along', () => {
  let tls: Certificates;
  before(async () => {
    tls = await makeCertificates();
  });
  after(() => tls.remove());

  for (const status of STATUSES) {
    test(`by ${status} to another port`, async (context) => {
      const stranger = await meet(context, (_, response) => response.writeHead(404).end());
      const registry = await meet(
        context,
        sending(status, () => stranger.url),
      );

      await readAll(await visit(context, registry.host));

      assertWithoutLogin(stranger);
      assert.ok(registry.asked.some(({ authorization }) => authorization === BASIC));
    });

    test(`by ${status} to another name of the same server`, async (context) => {
      const registry: Stranger = await meet(
        context,
        sending(status, () => registry.at('localhost')),
      );

      await readAll(await visit(context, registry.host));

      assertWithoutLogin(registry);
      assert.ok(registry.asked.some(({ authorization }) => authorization === BASIC));
    });

    test(`by ${status} from HTTPS to HTTP`, async (context) => {
      const stranger = await meet(context, (_, response) => response.writeHead(404).end());
      const registry = await meet(
        context,
        sending(status, () => stranger.url),
        tls,
      );

      await readAll(await visit(context, registry.host, { settings: { ca: tls.authority } }));

      assertWithoutLogin(stranger);
      assert.ok(registry.asked.some(({ authorization }) => authorization === BASIC));
    });
  }

  for (const status of [307, 308] as const)
    test(`nor a manifest that is pushed, by ${status}: it is not followed`, async (context) => {
      const stranger = await meet(context, (_, response) => response.writeHead(201).end());
      const registry = await meet(
        context,
        sending(status, () => stranger.url),
      );
      const repository = await visit(context, registry.host);
      const manifest = { descriptor: { ...BLOB, digest: madeUp(3) }, bytes: Buffer.from('{}') };

      await assert.rejects(
        repository.putManifest(manifest, 'v1'),
        new RegExp(`answered ${status}`),
      );

      assert.deepEqual(stranger.asked, []);
    });
});

test('Who asks for a login behind a redirect gets none, and the registry keeps its own', async (context: TestContext) => {
  const stranger: Stranger = await meet(context, (_, response) => {
    const challenge = `Bearer realm="${stranger.url}/token",service="x", Basic realm="y"`;
    response.writeHead(401, { 'www-authenticate': challenge }).end('{"token": "abc"}');
  });
  const registry = await meet(
    context,
    sending(307, () => stranger.url),
  );
  const repository = await visit(context, registry.host);

  await readAll(repository);
  await readAll(repository);

  assertWithoutLogin(stranger);
  assert.deepEqual(
    stranger.asked.filter(({ path }) => path.startsWith('/token')),
    [],
  );
  assert.equal(registry.asked.at(-1)?.authorization, BASIC);
});
