import assert from 'node:assert/strict';
import { test } from 'node:test';
import { growTree } from '../../src/copy/tree.ts';
import { OCI_INDEX } from '../../src/oci/media-types.ts';
import { setUp } from '../commands/move.ts';
import { openDesk } from '../support/cli.ts';
import { skipUnless } from '../support/requirement.ts';
import { give, image, madeUp, pour, served } from './contents.ts';
import { meet } from './stranger.ts';
import { visit } from './visit.ts';
import { PROC, watchMemory } from './watch.ts';

const MEBIBYTE = 1024 * 1024;

test('The manifests of one image are bounded in all, not only each for itself', {
  skip: skipUnless(PROC),
}, async (context) => {
  const { destination, desk } = await setUp(context, { logins: 'none' });
  const padding = 'x'.repeat(4 * MEBIBYTE - 1_000);
  const child = (number: number) => image({ annotations: { number, padding } });
  const children = new Map<string, number>();
  const manifests = Array.from({ length: 100 }, (_, number) => {
    const { digest, bytes, mediaType } = child(number);
    children.set(digest, number);
    return { mediaType, digest, size: bytes.length };
  });
  const root = served(JSON.stringify({ schemaVersion: 2, manifests }), OCI_INDEX);
  const source = await meet(context, ({ url = '' }, response) => {
    const number = children.get(url.split('/').at(-1) ?? '');
    if (url === '/v2/') response.end();
    else give(response, number === undefined ? root : child(number));
  });
  const insecure = { insecure: true };
  await desk.write(
    'auth.json',
    JSON.stringify({ [source.host]: insecure, [destination.host]: insecure }),
  );
  const rule = { [`${source.host}/team/app:v1`]: `${destination.host}/moved/app` };
  await desk.write('images.json', JSON.stringify(rule));

  const command = desk.start(['copy', 'plan']);
  const memory = watchMemory(command.child);
  await command.ended;

  assert.ok(memory.peak() < 400 * MEBIBYTE, `${memory.peak()} bytes`);
});

test('The pages of a list of tags are bounded in all, not only each for itself', async (context) => {
  const tags = Array.from({ length: 100_000 }, (_, number) => `${number}-${'x'.repeat(120)}`);
  const page = JSON.stringify({ tags });
  let bytes = 0;
  const registry = await meet(context, ({ url }, response) => {
    if (url === '/v2/') return response.end();
    bytes += page.length;
    const link = `</v2/team/app/tags/list?last=${bytes}>; rel="next"`;
    return response.writeHead(200, bytes < 64 * MEBIBYTE ? { link } : {}).end(page);
  });
  const repository = await visit(context, registry.host);

  await assert.rejects(async () => {
    for await (const _ of repository.listTags());
  });

  assert.ok(bytes < 64 * MEBIBYTE, `${bytes} bytes`);
});

test('A manifest of tens of thousands of layers is refused, as an index of as many children is', async () => {
  const layers = Array.from({ length: 40_000 }, (_, number) => ({
    ...{ digest: madeUp(number), size: 1 },
  }));
  const { bytes, digest, mediaType } = image({ layers });
  const descriptor = { digest, mediaType, size: bytes.length };

  await assert.rejects(
    growTree({ bytes, descriptor }, () => Promise.reject(new Error('no children'))),
    { name: 'InvalidManifestError' },
  );
});

test('Verifying an index of tens of thousands of children ends, as copying one does', async (context) => {
  const manifests = Array.from({ length: 12_000 }, (_, number) => ({
    ...{ digest: madeUp(number), size: 1 },
  }));
  const root = served(JSON.stringify({ schemaVersion: 2, manifests }), OCI_INDEX);
  const desk = await openDesk();
  context.after(() => desk.close());
  const registry = await meet(context, ({ url = '' }, response) => {
    if (/\/manifests\/v1$/.test(url) || url.endsWith(root.digest)) give(response, root);
    else response.writeHead(url === '/v2/' ? 200 : 404).end();
  });
  await desk.write('auth.json', JSON.stringify({ [registry.host]: { insecure: true } }));
  const rule = { [`${registry.host}/team/app:v1`]: `${registry.host}/moved/app` };
  await desk.write('images.json', JSON.stringify(rule));

  const { code, stdout } = await desk.run(['copy', 'verify']);

  assert.equal(code, 1, stdout);
  assert.ok(registry.asked.length < 10_100, `${registry.asked.length} requests`);
});

test('Verifying reads no more of a blob than its manifest says', async (context) => {
  const manifest = image({ layers: [{ digest: madeUp(1), size: 2 }] });
  let poured = 0;
  const registry = await meet(context, ({ method, url = '' }, response) => {
    if (!url.includes('/blobs/')) return give(response, manifest);
    if (method === 'HEAD') return response.writeHead(405).end();
    return pour(response, 64 * MEBIBYTE, (bytes) => {
      poured = bytes;
    });
  });
  const repository = await visit(context, registry.host);
  const blob = { mediaType: 'application/octet-stream', digest: madeUp(1), size: 2 };

  const size = await repository.statBlob(blob);

  assert.notEqual(size, 2);
  assert.ok(poured < 16 * MEBIBYTE, `${poured} bytes`);
});
