import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bandwidthOf } from '../../src/copy/bandwidth.ts';
import { openMemory } from '../support/memory.ts';
import { image, seed, task } from './corpus.ts';
import { copyTasks, statuses } from './run.ts';

test('A line passes no more bytes than it is wide, whoever sends them', async () => {
  const bandwidth = bandwidthOf(1_000_000);
  const { signal } = new AbortController();
  const begun = performance.now();
  const send = async () => {
    for (let chunk = 0; chunk < 5; chunk += 1) await bandwidth(10_000, signal);
  };

  await Promise.all([send(), send(), send(), send()]);

  // 200 kB at a megabyte a second, less what may be made up for.
  assert.ok(performance.now() - begun >= 140);
});

test('Who waits for the line can be interrupted', async () => {
  const bandwidth = bandwidthOf(1);
  const controller = new AbortController();

  const waiting = bandwidth(1_000, controller.signal);
  controller.abort();

  await assert.rejects(async () => waiting, { name: 'AbortError' });
});

test('Every byte of a blob that is sent passes the line', async () => {
  const memory = openMemory();
  const content = image(['base', 'own']);
  seed(memory, 'src.test/app:1', content);
  let passed = 0;
  const bandwidth = (bytes: number) => {
    passed += bytes;
    return undefined;
  };

  const { outcomes } = await copyTasks([task('src.test/app:1', 'dst.test/app:1')], memory.ends, {
    bandwidth,
  });

  const [outcome] = outcomes;
  assert.deepEqual(statuses(outcomes), ['copied']);
  assert.equal(passed, outcome?.status === 'copied' ? outcome.bytes : undefined);
});
