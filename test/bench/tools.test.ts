import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { makeSet } from './corpus.ts';
import { type Job, jobOf } from './job.ts';
import { TOOLS } from './tools.ts';
import { findTools } from './tools-found.ts';

const EDGE = jobOf('edge', makeSet('edge', 'small').slice(0, 2));
const TAGS = jobOf('tags', makeSet('tags', 'small').slice(0, 2));

async function prepare(t: TestContext, id: string, job: Job, secure = false) {
  const folder = await mkdtemp(join(tmpdir(), 'bench-tool-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const tool = TOOLS.find((each) => each.id === id);
  const ends = { source: '127.0.0.1:1', destination: '127.0.0.1:2' };
  const command = await tool?.prepare({ job, ...ends, secure, workers: 5, folder });
  const file = (name: string) => readFile(join(folder, name), 'utf8');
  return { words: command?.words.join(' ') ?? '', file };
}

describe('the tools of the benchmark', () => {
  it('have names of their own', () => {
    const ids = TOOLS.map(({ id }) => id);

    assert.equal(new Set(ids).size, ids.length);
  });

  it('copy images by their list, as many at a time as there are workers', async (t) => {
    const { words, file } = await prepare(t, 'oras-parallel', EDGE);

    assert.match(words, /^xargs -a images -P 5 -I\{\} oras cp .* 127\.0\.0\.1:1\/\{\} /);
    assert.equal(await file('images'), 'edge/zstd:1\nedge/nested:1\n');
  });

  for (const [id, plain, secure] of [
    ['regctl-parallel', 'tls=disabled', 'tls=insecure'],
    ['oras-parallel', '--from-plain-http --to-plain-http', '--from-insecure --to-insecure'],
  ] as const)
    it(`are told whether the registries speak TLS: ${id}`, async (t) => {
      assert.ok((await prepare(t, id, EDGE)).words.includes(plain));
      assert.ok((await prepare(t, id, EDGE, true)).words.includes(secure));
    });

  it('copy one after the other when they are to', async (t) => {
    const { words } = await prepare(t, 'skopeo-sequential', EDGE);

    assert.match(words, /^xargs -a images -P 1 -I\{\} skopeo copy /);
  });

  it('copy a whole repository in one go where they can', async (t) => {
    const crane = await prepare(t, 'crane-parallel', TAGS);
    const sync = await prepare(t, 'skopeo-sync', TAGS);
    const ours = await prepare(t, 'migrate-images', TAGS);

    assert.match(crane.words, /--all-tags --jobs 5 127\.0\.0\.1:1\/tags\/many /);
    assert.match(sync.words, /--src docker 127\.0\.0\.1:1\/tags\/many 127\.0\.0\.1:2\/tags$/);
    const rules = JSON.parse(await ours.file('images.json'));
    assert.deepEqual(rules, { '127.0.0.1:1/tags/many': '127.0.0.1:2/tags/many' });
  });

  it('are told apart from those that nobody has heard of', async () => {
    await assert.rejects(findTools(['ship-it']), /no tool is called ship-it: choose of /);
  });

  it('are found by program, with their version', async () => {
    const [found, ...others] = await findTools(['migrate-images']);

    assert.equal(others.length, 0);
    assert.match(found?.version ?? '', /^\d+\.\d+\.\d+/);
  });
});
