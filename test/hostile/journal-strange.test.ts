import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, constants, openSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { test } from 'node:test';
import { LARGE, remember } from './journal.ts';
import { meet } from './stranger.ts';

// Whoever has not passed a pipe by then waits for it.
const PATIENCE_MS = 2_000;

/** Lets go on who waits for somebody to write into a pipe. */
function release(path: string): void {
  try {
    closeSync(openSync(path, constants.O_WRONLY | constants.O_NONBLOCK));
  } catch {
    // Nobody waits.
  }
}

test('A pipe in the journal of uploads does not stop the upload', async (context) => {
  const { path, repository, isStored } = await remember(context);
  await rm(path);
  execFileSync('mkfifo', [path]);
  let hadToBeFreed = false;
  const free = setInterval(() => {
    hadToBeFreed = true;
    release(path);
  }, PATIENCE_MS);

  const arrival = await repository.putBlob(LARGE.descriptor, LARGE.open, {});
  clearInterval(free);

  assert.equal(arrival, 'uploaded');
  assert.ok(isStored());
  assert.equal(hadToBeFreed, false);
});

test('A journal that names another origin sends no bytes there', async (context) => {
  const { size } = LARGE.descriptor;
  const stranger = await meet(context, ({ method, headers }, response) => {
    const last = headers['content-range']?.split('-')[1] ?? size / 2;
    const status = { GET: 204, PATCH: 202, PUT: 201 }[method ?? ''] ?? 404;
    response.writeHead(status, { range: `0-${last}`, location: '/upload' }).end();
  });
  const { rewrite, repository, isStored } = await remember(context);
  await rewrite({ session: `${stranger.url}/upload` });

  await repository.putBlob(LARGE.descriptor, LARGE.open, {});

  const received = stranger.asked.reduce((sum, { body }) => sum + body.length, 0);
  assert.equal(received, 0);
  assert.ok(isStored());
});
