import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { OCI_MANIFEST } from '../../src/oci/media-types.ts';
import type { Repository } from '../../src/registry/repository.ts';
import { content } from '../registry/opening.ts';
import { pour } from './contents.ts';
import { meet, type Stranger } from './stranger.ts';
import { visit } from './visit.ts';

const MEBIBYTE = 1024 * 1024;
// What stands in the buffers of the connection was not read by anybody.
const BUFFERS = 8 * MEBIBYTE;
const ENDLESS = 64 * MEBIBYTE;
const BLOB = content('a layer');

interface Pouring {
  readonly repository: Repository;
  readonly registry: Stranger;
  /** how many bytes were handed out of what has no end */
  readonly poured: () => number;
}

/** A registry that answers everything with this head, and a body without end. */
async function pouring(
  context: TestContext,
  status: number,
  headers: (url: string) => Readonly<Record<string, string | number>> = () => ({}),
): Promise<Pouring> {
  let poured = 0;
  const registry = await meet(context, ({ url = '' }, response) => {
    if (url === '/v2/') return response.end();
    response.writeHead(status, headers(url));
    return pour(response, ENDLESS, (bytes) => {
      poured = Math.max(poured, bytes);
    });
  });
  const repository = await visit(context, registry.host);
  return { repository, registry, poured: () => poured };
}

describe('What has no end is read up to a bound:', () => {
  for (const [what, headers] of Object.entries({
    'as chunks': {},
    'as the length that it claims': { 'content-length': 10 ** 15 },
  })) {
    test(`a manifest, ${what}`, async (context) => {
      const { repository, poured } = await pouring(context, 200, () => headers);

      await assert.rejects(repository.fetchManifest('v1'), { code: 'TOO_LARGE' });

      assert.ok(poured() < 4 * MEBIBYTE + BUFFERS, `${poured()} bytes`);
    });

    test(`a page of tags, ${what}`, async (context) => {
      const { repository, poured } = await pouring(context, 200, () => headers);

      await assert.rejects(Array.fromAsync(repository.listTags()), { code: 'TOO_LARGE' });

      assert.ok(poured() < 16 * MEBIBYTE + BUFFERS, `${poured()} bytes`);
    });

    for (const status of [400, 403, 404, 418])
      test(`an error ${status}, ${what}`, async (context) => {
        const { repository, poured } = await pouring(context, status, () => headers);

        await assert.rejects(repository.fetchManifest('v1'), { name: 'RegistryError', status });
        await assert.rejects(repository.openBlob(BLOB.descriptor, 0), { status });
        await assert.rejects(repository.putBlob(BLOB.descriptor, BLOB.open, {}), { status });

        assert.ok(poured() < BUFFERS, `${poured()} bytes`);
      });

    test(`a redirect, ${what}`, async (context) => {
      const { repository, poured } = await pouring(context, 307, (url) => ({
        ...headers,
        location: `${url}x`,
      }));

      await assert.rejects(repository.fetchManifest('v1'), { status: 307 });

      assert.ok(poured() < BUFFERS, `${poured()} bytes`);
    });

    test(`the answer of a token service, ${what}`, async (context) => {
      let poured = 0;
      const service = await meet(context, (_, response) => {
        response.writeHead(200, headers);
        pour(response, ENDLESS, (bytes) => {
          poured = bytes;
        });
      });
      const challenge = `Bearer realm="${service.url}/token"`;
      const registry = await meet(context, (_, response) => {
        response.writeHead(401, { 'www-authenticate': challenge });
        pour(response, ENDLESS);
      });

      await assert.rejects((await visit(context, registry.host)).fetchManifest('v1'), {
        code: 'TOO_LARGE',
      });

      assert.ok(poured < BUFFERS, `${poured} bytes`);
    });
  }

  test('what is said to a blob and to a manifest that arrived', async (context) => {
    let poured = 0;
    const registry = await meet(context, (request, response) => {
      const { method = '', url = '' } = request;
      const status = { GET: 200, POST: 202, PUT: 201 }[method] ?? 404;
      request.on('end', () => {
        response.writeHead(status, { location: '/v2/team/app/blobs/uploads/1' });
        if (url === '/v2/') return response.end();
        return pour(response, ENDLESS, (bytes) => {
          poured = Math.max(poured, bytes);
        });
      });
    });
    const repository = await visit(context, registry.host);
    const { descriptor, bytes } = BLOB;

    await repository.putBlob(descriptor, BLOB.open, {});
    await repository.putManifest(
      { descriptor: { ...descriptor, mediaType: OCI_MANIFEST }, bytes },
      'v1',
    );

    assert.ok(poured > 0);
    assert.ok(poured < BUFFERS, `${poured} bytes`);
  });
});

describe('What leads in a circle is left:', () => {
  test('redirects between two servers', async (context) => {
    const servers: Stranger[] = [];
    for (const other of [1, 0])
      servers.push(
        await meet(context, ({ url }, response) => {
          if (url === '/v2/') return response.end();
          const location = `${servers[other]?.url}${url}`;
          return response.writeHead(307, { location }).end();
        }),
      );
    const repository = await visit(context, servers[0]?.host ?? '');

    await assert.rejects(repository.fetchManifest('v1'), { status: 307 });
    await assert.rejects(repository.openBlob(BLOB.descriptor, 0), { status: 307 });

    const asked = servers.flatMap((server) => server.asked).filter(({ path }) => path !== '/v2/');
    assert.equal(asked.length, 12);
  });

  test('links of a list of tags', async (context) => {
    const registry = await meet(context, ({ url = '' }, response) => {
      const number = Number(/last=(\d)/.exec(url)?.[1] ?? 0);
      const link = `</v2/team/app/tags/list?last=${(number + 1) % 3}>; rel="next"`;
      response.writeHead(200, { link }).end(`{"tags": ["v${number}"]}`);
    });
    const repository = await visit(context, registry.host);

    const tags = await Array.fromAsync(repository.listTags());

    assert.deepEqual(new Set(tags), new Set(['v0', 'v1', 'v2']));
    assert.ok(registry.asked.length <= 5, `${registry.asked.length} requests`);
  });
});

describe('A head of an answer', () => {
  const headOf = (names: number, length: number) =>
    Object.fromEntries(
      Array.from({ length: names }, (_, number) => [`x-${number}`, 'y'.repeat(length)]),
    );

  for (const [what, headers] of Object.entries({
    'of one header of 20 KiB': headOf(1, 20 * 1024),
    'of one header of a mebibyte': headOf(1, MEBIBYTE),
    'of five thousand headers': headOf(5_000, 1),
  }))
    test(`${what} is refused`, async (context) => {
      const registry = await meet(context, ({ url }, response) => {
        response.writeHead(200, url === '/v2/' ? {} : headers).end('{}');
      });
      const repository = await visit(context, registry.host);

      await assert.rejects(repository.fetchManifest('v1'), { reason: 'UND_ERR_HEADERS_OVERFLOW' });
    });

  test('of a thousand headers is read', async (context) => {
    const registry = await meet(context, (_, response) => {
      response.writeHead(200, headOf(1_000, 1)).end('{"mediaType": "a/b"}');
    });
    const repository = await visit(context, registry.host);

    const { descriptor } = await repository.fetchManifest('v1');

    assert.equal(descriptor.mediaType, 'a/b');
  });
});
