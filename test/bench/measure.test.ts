import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { type Certificates, makeCertificates } from '../support/certificates.ts';
import { DISTRIBUTION } from '../support/distribution.ts';
import { skipUnless } from '../support/requirement.ts';
import { makeSet, totalsOf } from './corpus.ts';
import { openEnd } from './end.ts';
import { fill } from './fill.ts';
import { measure } from './measure.ts';
import type { LinkOptions } from './relay.ts';
import { verify } from './verify.ts';

const skip = skipUnless(DISTRIBUTION);
const RECIPES = makeSet('edge', 'small');

async function setUp(t: TestContext, link?: LinkOptions, certificates?: Certificates) {
  const folder = await mkdtemp(join(tmpdir(), 'bench-test-'));
  const source = await openEnd(join(folder, 'source'), link, certificates);
  const destination = await openEnd(join(folder, 'destination'), link, certificates);
  t.after(async () => {
    await Promise.all([source.close(), destination.close()]);
    await rm(folder, { recursive: true, force: true });
  });
  return { folder, source, destination };
}

const script = (folder: string, text: string) => ({
  ...{ words: [process.execPath, '-e', text], folder, environment: {} },
});

describe('a bench registry', { skip }, () => {
  it('holds all that it was filled with, and misses what it was not', async (t) => {
    const { source, destination } = await setUp(t);
    await fill(source.registry.url, RECIPES);

    const [full, empty] = await Promise.all(
      [source, destination].map(({ registry }) => verify(registry.url, RECIPES)),
    );

    assert.deepEqual(full, []);
    assert.equal(empty?.length, RECIPES.length);
    assert.match(empty?.[0] ?? '', /the manifest \S+ is missing \(404\)/);
  });
});

describe('a bench registry that speaks TLS', { skip }, () => {
  it('is filled and verified like any other', async (t) => {
    const certificates = await makeCertificates();
    t.after(() => certificates.remove());
    const { source } = await setUp(t, undefined, certificates);
    await fill(source.registry.url, RECIPES);

    assert.match(source.registry.url, /^https:/);
    assert.deepEqual(await verify(source.registry.url, RECIPES), []);
  });
});

describe('measuring', { skip }, () => {
  for (const link of [undefined, { roundTripMs: 2 }])
    it(`counts what a tool asks and how many bytes it gets ${link ? 'over a link' : 'on loopback'}`, async (t) => {
      const { folder, source, destination } = await setUp(t, link);
      await fill(source.registry.url, RECIPES);
      const largest = Math.max(...RECIPES.flatMap(({ root }) => root.blobs.map((b) => b.size)));
      const blob = RECIPES.flatMap(({ repository, root }) =>
        root.blobs.map(({ digest, size }) => ({ repository, digest, size })),
      ).find(({ size }) => size === largest);
      const address = `http://${source.host}/v2/${blob?.repository}/blobs/${blob?.digest}`;
      const text = `fetch('${address}').then((r) => r.bytes()).then(() => fetch('http://${destination.host}/v2/none/tags/list'))`;

      const measured = await measure({
        ...{ command: script(folder, text), source, destination },
        ...{ timeoutMs: 30_000, signal: AbortSignal.timeout(60_000) },
      });

      assert.equal(measured.exit, 0, measured.output);
      assert.deepEqual(measured.source.classes, { 'GET blob 200': 1 });
      assert.deepEqual(measured.destination.classes, { 'GET tags 404': 1 });
      assert.equal(measured.source.bodyBytes, largest);
      assert.equal(measured.source.connections, 1);
      assert.ok(measured.bytesSent >= largest && measured.bytesSent < largest + 2_000);
      assert.ok(measured.peakBytes.tree >= measured.peakBytes.largest);
    });

  it('ends a tool that takes too long, with all that it has started', async (t) => {
    const { folder, source, destination } = await setUp(t);
    const words = ['sh', '-c', 'sleep 600 & wait'];

    const measured = await measure({
      ...{ command: { words, folder, environment: {} }, source, destination },
      ...{ timeoutMs: 50, signal: AbortSignal.timeout(60_000) },
    });

    assert.equal(measured.exit, null);
  });

  it('keeps the last words of a tool that failed', async (t) => {
    const { folder, source, destination } = await setUp(t);

    const measured = await measure({
      command: script(folder, 'console.error("no space left"); process.exit(3)'),
      ...{ source, destination, timeoutMs: 30_000, signal: AbortSignal.timeout(60_000) },
    });

    assert.equal(measured.exit, 3);
    assert.match(measured.output, /no space left/);
  });
});

describe('the totals of a job', () => {
  it('count each blob once', () => {
    const once = totalsOf(RECIPES);
    const twice = totalsOf([...RECIPES, ...RECIPES]);

    assert.equal(twice.uniqueBytes, once.uniqueBytes);
    assert.equal(twice.images, 2 * once.images);
  });
});
