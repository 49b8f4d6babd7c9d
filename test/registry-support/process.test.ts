import assert from 'node:assert/strict';
import { access } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { DISTRIBUTION, startDistribution } from '../support/distribution.ts';
import { findProgram, startProcess } from '../support/process.ts';
import { skipUnless } from '../support/requirement.ts';

describe('a program beside the tests', () => {
  test('is found on the PATH, or not', () => {
    assert.match(findProgram('sh') ?? '', /\/sh$/);
    assert.equal(findProgram('no-such-program-anywhere'), undefined);
  });

  test('is ready when it says so, and ends when it is told to', async () => {
    const lines: string[] = [];
    const program = await startProcess({
      command: 'sh',
      arguments: ['-c', 'echo first; echo ready on 42; exec sleep 600'],
      ready: /ready on (\d+)/,
      onLine: (line) => lines.push(line),
    });

    await program.end();

    assert.equal(program.ready[1], '42');
    assert.deepEqual(lines, ['first', 'ready on 42']);
    assert.throws(() => process.kill(program.pid, 0), { code: 'ESRCH' });
  });

  test('says why it did not start', async () => {
    const started = startProcess({
      command: 'sh',
      arguments: ['-c', 'echo the reason >&2; exit 3'],
      ready: /never/,
    });

    await assert.rejects(started, /sh ended before it was ready:\nthe reason/);
  });

  test('is no riddle where there is none', async () => {
    const started = startProcess({
      command: 'no-such-program-anywhere',
      arguments: [],
      ready: /never/,
    });

    await assert.rejects(started, { code: 'ENOENT' });
  });

  test('leaves neither process nor folder', { skip: skipUnless(DISTRIBUTION) }, async () => {
    const registry = await startDistribution();

    await registry.close();

    assert.throws(() => process.kill(registry.pid, 0), { code: 'ESRCH' });
    await assert.rejects(access(registry.folder));
  });
});
