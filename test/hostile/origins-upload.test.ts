import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { content } from '../registry/opening.ts';
import { type Behavior, meet, type Stranger } from './stranger.ts';
import { BASIC, loggedIn, visit } from './visit.ts';

const BLOB = content('the bytes of a layer');

/** A registry that opens every upload at an address. */
function opening(address: () => string): Behavior {
  return loggedIn((request, response) => {
    if (request.method !== 'POST') return response.writeHead(404).end();
    return response.writeHead(202, { location: `${address()}/upload?_state=s` }).end();
  });
}

/** Without a login, whatever the request. */
function assertWithoutLogin({ asked }: Stranger, methods: readonly string[]): void {
  const came = asked.filter(({ path }) => path.startsWith('/upload'));
  assert.deepEqual([...new Set(came.map(({ method }) => method))].sort(), methods);
  assert.deepEqual(new Set(came.map(({ authorization }) => authorization)), new Set([undefined]));
}

describe('An upload whose address is elsewhere takes no login along', () => {
  test('when it goes well', async (context) => {
    const stranger = await meet(context, (request, response) => {
      request.on('end', () => response.writeHead(201).end());
    });
    const registry = await meet(
      context,
      opening(() => stranger.url),
    );

    await (await visit(context, registry.host)).putBlob(BLOB.descriptor, BLOB.open, {});

    assertWithoutLogin(stranger, ['PUT']);
    assert.equal(stranger.asked[0]?.body, `${BLOB.bytes}`);
    assert.equal(registry.asked.at(-1)?.authorization, BASIC);
  });

  for (const status of [401, 403, 500])
    test(`when it is answered ${status}, asked after and given up`, async (context) => {
      const stranger: Stranger = await meet(context, (request, response) => {
        const challenge = `Bearer realm="${stranger.url}/token", Basic realm="y"`;
        request.on('end', () => {
          response.writeHead(status, { 'www-authenticate': challenge }).end('{"token": "abc"}');
        });
      });
      const registry = await meet(
        context,
        opening(() => stranger.url),
      );
      const repository = await visit(context, registry.host);

      await assert.rejects(repository.putBlob(BLOB.descriptor, BLOB.open, {}), /answered/);

      assertWithoutLogin(stranger, status === 500 ? ['GET', 'PUT'] : ['DELETE', 'PUT']);
      assert.ok(stranger.asked.every(({ path }) => !path.startsWith('/token')));
    });

  test('when it was opened instead of a mount', async (context) => {
    const stranger = await meet(context, (_, response) => response.writeHead(204).end());
    const registry = await meet(
      context,
      opening(() => stranger.url),
    );
    const repository = await visit(context, registry.host);

    assert.equal(await repository.mountBlob(BLOB.descriptor, 'team/other'), false);

    assertWithoutLogin(stranger, ['DELETE']);
  });

  test('by another name of the same server', async (context) => {
    const registry: Stranger = await meet(context, (request, response) => {
      if (request.url?.startsWith('/upload'))
        request.on('end', () => response.writeHead(201).end());
      else opening(() => registry.at('localhost'))(request, response);
    });

    await (await visit(context, registry.host)).putBlob(BLOB.descriptor, BLOB.open, {});

    assertWithoutLogin(registry, ['PUT']);
  });

  test('when it is moved there in its middle', async (context) => {
    const stranger = await meet(context, (request, response) => {
      request.on('end', () => response.writeHead(201).end());
    });
    const half = BLOB.bytes.length / 2;
    let puts = 0;
    const registry: Stranger = await meet(
      context,
      loggedIn((request, response) => {
        const upload = { location: '/upload?_state=s' };
        const moved = { location: `${stranger.url}/upload?_state=t`, range: `0-${half - 1}` };
        if (request.method === 'POST') response.writeHead(202, upload).end();
        else if (request.method === 'GET') response.writeHead(204, moved).end();
        else if (request.method === 'PUT') {
          puts += 1;
          request.on('end', () => response.writeHead(500).end());
        } else response.writeHead(404).end();
      }),
    );

    await (await visit(context, registry.host)).putBlob(BLOB.descriptor, BLOB.open, {});

    assert.equal(puts, 1);
    assertWithoutLogin(stranger, ['PATCH', 'PUT']);
  });
});

test('A list of tags is not followed to another origin', async (context) => {
  const stranger = await meet(context, (_, response) => response.end('{"tags": ["x"]}'));
  const registry: Stranger = await meet(
    context,
    loggedIn((_, response) => {
      const link = `<${links.shift()}/v2/team/app/tags/list?last=v1>; rel="next"`;
      response.writeHead(200, { link }).end('{"tags": ["v1"]}');
    }),
  );
  const links = [stranger.url, registry.at('localhost'), `https://${registry.host}`];
  const repository = await visit(context, registry.host);

  for (const _ of [...links])
    await assert.rejects(Array.fromAsync(repository.listTags()), {
      name: 'InvalidListError',
      message: `${registry.host} continues its list on another host`,
    });

  assert.deepEqual(stranger.asked, []);
});
