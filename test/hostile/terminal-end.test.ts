import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setUp } from '../commands/move.ts';
import { pushImage } from '../support/images.ts';
import { skipUnless } from '../support/requirement.ts';
import { drawing, TMUX } from './drawing.ts';

const NEEDED = { skip: skipUnless(TMUX), timeout: 40_000 };
// Thrown where nobody catches it, while lanes are drawn.
const CRASH = `process.on('SIGUSR2', () => { throw new Error('crash-in-the-middle') })`;

for (const [name, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 130],
  ['SIGHUP', 130],
] as const)
  test(`${name} leaves the terminal as it was`, NEEDED, async (context) => {
    const { pane, signal, settings } = await drawing(context);

    await signal(name);
    const lines = await pane.until(new RegExp(`^code ${code}$`));

    assert.doesNotMatch(lines.join('\n'), /^ {2}\S*team\/app/m);
    assert.deepEqual(pane.cursor(), { column: 0, visible: true, wraps: true });
    assert.deepEqual(await settings(), ['echo off', 'canonical on', 'signals on']);
  });

test(
  'A crash says what it was, and leaves a terminal that can be used',
  NEEDED,
  async (context) => {
    const { pane, signal, settings } = await drawing(context, {
      NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(CRASH)}`,
    });

    await signal('SIGUSR2');
    const lines = await pane.until(/^code 1$/);

    assert.match(lines.join('\n'), /crash-in-the-middle/);
    assert.deepEqual(pane.cursor(), { column: 0, visible: true, wraps: true });
    assert.deepEqual(await settings(), ['echo off', 'canonical on', 'signals on']);
  },
);

test('Where nothing can be written the copy goes on, and says so at its end', {
  skip: process.platform !== 'linux' && '/dev/full is a file of Linux',
}, async (context) => {
  const { source, destination, desk } = await setUp(context);
  await pushImage(source, { repository: 'team/app', tag: 'v1' });
  const rule = { [`${source.host}/team/app:v1`]: `${destination.host}/moved/app` };
  await desk.write('images.json', JSON.stringify(rule));
  const command = desk.shellCommand(['copy']);

  const { code, stderr } = await desk.run(['-c', `${command} > /dev/full`], { program: '/bin/sh' });

  assert.equal(code, 1);
  assert.equal(stderr, 'error: cannot write to standard output: the disk is full\n');
  assert.equal(destination.log.count('PUT', 'manifest'), 1);
});
