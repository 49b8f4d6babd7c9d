import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { InvalidRuleError } from '../../src/copy/errors.ts';
import { blobCounter, type Explain, reportOf } from '../../src/copy/report.ts';
import { openMemory } from '../support/memory.ts';
import { image, layer, seed, task } from './corpus.ts';
import { copyTasks } from './run.ts';

const DIGEST = `sha256:${'a'.repeat(64)}` as const;
const explain: Explain = (error) => ({
  ...{ code: 'CODE', message: (error as Error).message, hint: 'do something' },
});

describe('A report', () => {
  const failure = new InvalidRuleError(
    { file: 'images.json', line: 3, column: 5, source: 'x:/(/', destination: 'y' },
    'no good',
  );
  const report = reportOf(
    {
      tasks: [
        task('nginx:1.27', 'swr.example/test/nginx:1.27'),
        task(`redis@${DIGEST}`, `swr.example/test/redis@${DIGEST}`),
        task('gcr.io/a/b:1', 'swr.example/test/b:1'),
      ],
      outcomes: [
        {
          ...{ status: 'copied', sourceDigest: DIGEST, destinationDigest: DIGEST },
          ...{ bytes: 10, attempts: 2, notes: ['a note'] },
        },
        {
          ...{ status: 'skipped', sourceDigest: DIGEST, destinationDigest: DIGEST },
          ...{ bytes: 0, attempts: 1, notes: [] },
        },
        { status: 'failed', error: new Error('broken'), attempts: 4, notes: [] },
      ],
      ruleFailures: [failure],
      blobs: { existing: 1, mounted: 2, transferred: 3, bytes: 10 },
      ...{ durationMs: 7, interrupted: false },
    },
    explain,
  );

  test('sums up the run in exactly the fields that are promised', () => {
    assert.deepEqual(report.summary, {
      ...{ images: 3, copied: 1, skipped: 1, failed: 1, rulesFailed: 1 },
      ...{ blobsTransferred: 3, blobsMounted: 2, blobsExisting: 1, bytesTransferred: 10 },
      ...{ durationMs: 7, interrupted: false },
    });
    assert.deepEqual(Object.keys(report), ['apiVersion', 'kind', 'summary', 'images', 'rules']);
    assert.equal(report.apiVersion, 'migrate-images/v1');
    assert.equal(report.kind, 'CopyReport');
  });

  test('names images in full, in the order of the tasks', () => {
    assert.deepEqual(report.images, [
      {
        ...{ source: 'docker.io/library/nginx:1.27', destination: 'swr.example/test/nginx:1.27' },
        ...{ status: 'copied', sourceDigest: DIGEST, destinationDigest: DIGEST },
        ...{ bytes: 10, attempts: 2, referrers: 0, notes: ['a note'] },
      },
      {
        source: `docker.io/library/redis@${DIGEST}`,
        destination: `swr.example/test/redis@${DIGEST}`,
        ...{ status: 'skipped', sourceDigest: DIGEST, destinationDigest: DIGEST },
        ...{ bytes: 0, attempts: 1, referrers: 0, notes: [] },
      },
      {
        ...{ source: 'gcr.io/a/b:1', destination: 'swr.example/test/b:1', status: 'failed' },
        ...{ bytes: 0, attempts: 4, referrers: 0, notes: [] },
        error: { code: 'CODE', message: 'broken', hint: 'do something' },
      },
    ]);
  });

  test('says where rules stand that could not be used', () => {
    assert.deepEqual(report.rules, [
      {
        ...{ line: 3, column: 5, source: 'x:/(/', destination: 'y' },
        error: { code: 'CODE', message: 'no good', hint: 'do something' },
      },
    ]);
  });

  test('is JSON that loses nothing', () => {
    assert.deepEqual(JSON.parse(JSON.stringify(report)), report);
  });
});

test('Blobs are counted by what became of them', async () => {
  const memory = openMemory();
  seed(memory, 'src.test/a:1', image(['base', 'x'], 'a'));
  seed(memory, 'src.test/b:1', image(['base'], 'b'));
  memory.repository('dst.test/a').blobs.set(layer('x').digest, layer('x').bytes);
  const counter = blobCounter();
  const tasks = [task('src.test/a:1', 'dst.test/a:1'), task('src.test/b:1', 'dst.test/b:1')];

  const { outcomes } = await copyTasks(tasks, memory.ends, { onEvent: counter.listener });

  const { existing, mounted, transferred, bytes } = counter.counts();
  const sent = outcomes.reduce((sum, each) => sum + ('bytes' in each ? each.bytes : 0), 0);
  assert.deepEqual({ existing, mounted, transferred }, { existing: 1, mounted: 1, transferred: 3 });
  assert.equal(bytes, sent);
});
