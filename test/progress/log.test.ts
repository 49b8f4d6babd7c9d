import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { LogError } from '../../src/progress/errors.ts';
import { openLog } from '../../src/progress/log.ts';
import {
  blobNamed,
  explain,
  failedWith,
  pretend,
  pretendedImages,
  succeeded,
  taskFrom,
} from './pretend.ts';

const task = taskFrom('nginx:1.27', 'swr.example.com/team/nginx:1.27');
const head = {
  source: 'docker.io/library/nginx:1.27',
  destination: 'swr.example.com/team/nginx:1.27',
};

function fileIn(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'log-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return join(folder, 'run.log');
}

function recordsOf(path: string): readonly Record<string, unknown>[] {
  const lines = readFileSync(path, 'utf8').split('\n');
  assert.equal(lines.pop(), '');
  return lines.map((line) => JSON.parse(line));
}

function withoutTime({ time, ...record }: Record<string, unknown>): Record<string, unknown> {
  assert.match(String(time), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  return record;
}

test('Every event but looks and bytes on their way is one JSON line', async (t) => {
  const path = fileIn(t);
  const log = await openLog(path, { explain });
  const blob = blobNamed('layer', 500);
  const error = new Error('503 Service Unavailable');
  const outcome = succeeded('copied', 500);

  log.listener({ kind: 'inspected', task, images: 1 });
  log.listener({ kind: 'planned', images: 1, blobs: 1, bytes: 500 });
  log.listener({ kind: 'started', task, blobs: 1, bytes: 500 });
  log.listener({ kind: 'moving', task, blob, offset: 100 });
  log.listener({ kind: 'placed', task, blob, fate: 'transferred' });
  log.listener({ kind: 'retrying', task, attempt: 1, delayMs: 200, error });
  log.listener({ kind: 'finished', task, outcome });
  log.listener({ kind: 'finished', task, outcome: failedWith('DENIED') });
  await log.close();

  assert.deepEqual(recordsOf(path).map(withoutTime), [
    { event: 'planned', images: 1, blobs: 1, bytes: 500 },
    { event: 'started', ...head, blobs: 1, bytes: 500 },
    {
      event: 'placed',
      ...head,
      fate: 'transferred',
      digest: blob.digest,
      mediaType: blob.mediaType,
      size: 500,
    },
    { event: 'retrying', ...head, attempt: 1, delayMs: 200, error: '503 Service Unavailable' },
    { event: 'finished', ...head, ...outcome },
    { event: 'finished', ...head, status: 'failed', attempts: 4, notes: [], error: 'DENIED' },
  ]);
});

test('Others add records of their own', async (t) => {
  const path = fileIn(t);
  const log = await openLog(path, { explain });

  log.write({ event: 'login', registry: 'quay.io', from: 'auth.json' });
  await log.close();

  assert.deepEqual(recordsOf(path).map(withoutTime), [
    { event: 'login', registry: 'quay.io', from: 'auth.json' },
  ]);
});

test('A log is appended to, and its mode stays as its owner set it', async (t) => {
  const path = fileIn(t);
  writeFileSync(path, '{"time":"earlier"}\n');
  chmodSync(path, 0o640);

  const log = await openLog(path, { explain });
  log.write({ event: 'later' });
  await log.close();

  assert.deepEqual(
    recordsOf(path).map(({ time, event }) => event ?? time),
    ['earlier', 'later'],
  );
  assert.equal(statSync(path).mode & 0o777, 0o640);
});

test('A new log can be read by its owner alone', async (t) => {
  const path = fileIn(t);

  const log = await openLog(path, { explain });
  await log.close();

  assert.equal(statSync(path).mode & 0o777, 0o600);
});

test('A path that cannot be written is refused at once, with the reason and what to do', async (t) => {
  const missing = join(fileIn(t), 'folder', 'run.log');
  const folder = tmpdir();

  await assert.rejects(openLog(missing, { explain }), {
    name: 'LogError',
    message: `the log file ${missing} cannot be written (ENOENT: no such file or directory): name another one with --log`,
  });
  await assert.rejects(openLog(folder, { explain }), {
    name: 'LogError',
    message: /\(EISDIR: illegal operation on a directory\)/,
  });
});

test('Closing waits for every line of a long run', async (t) => {
  const path = fileIn(t);
  const log = await openLog(path, { explain });

  await pretend(log.listener, {
    images: pretendedImages(2000),
    workers: 50,
    steps: 1,
    pause: async () => undefined,
  });
  await log.close();

  // started, three blobs, finished; one plan; one image is tried again
  assert.equal(recordsOf(path).length, 2000 * 5 + 1 + 1);
});

test('Two logs on one file do not tear each other’s lines', async (t) => {
  const path = fileIn(t);
  const logs = await Promise.all([openLog(path, { explain }), openLog(path, { explain })]);

  for (let line = 0; line < 500; line += 1) for (const log of logs) log.write({ line });
  await Promise.all(logs.map((log) => log.close()));

  assert.equal(recordsOf(path).length, 1000);
});

test('A disk that becomes full ends no run, and closing says that lines were lost', {
  skip: process.platform !== 'linux' && '/dev/full is a file of Linux',
}, async () => {
  const log = await openLog('/dev/full', { explain });

  log.write({ event: 'lost' });

  await assert.rejects(log.close(), (error) => {
    assert.ok(error instanceof LogError);
    assert.equal(error.path, '/dev/full');
    assert.match(error.message, /ENOSPC: no space left on device\)/);
    return true;
  });
  log.write({ event: 'too late' });
});

test('A second close and a record after it do nothing', async (t) => {
  const path = fileIn(t);
  const log = await openLog(path, { explain });
  await log.close();

  log.write({ event: 'too late' });
  await log.close();

  assert.deepEqual(recordsOf(path), []);
});
