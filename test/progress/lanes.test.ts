import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { findProgram, run } from '../support/process.ts';
import { skipUnless } from '../support/requirement.ts';
import { openPane, type Pane } from './pane.ts';

const TMUX = {
  name: 'tmux',
  found: findProgram('tmux') !== undefined,
  remedy: 'install tmux (apt-get install tmux)',
};
const SCRIPT = {
  name: 'script',
  found: findProgram('script') !== undefined,
  remedy: "install util-linux's script (apt-get install bsdutils)",
};
const SHOW = `'${process.execPath}' '${join(import.meta.dirname, 'show.ts')}'`;
const LANE = /^ {2}\S/;
const TOTAL = /^\S \d+ of 14 images/;
const FINISHED = /^(copied|failed|retry) {3,5}\S/;

function open(t: TestContext, columns: number, rows: number, parameters: string): Pane {
  const pane = openPane(columns, rows, `${SHOW} ${parameters}`);
  t.after(() => pane.close());
  return pane;
}

function indexesOf(lines: readonly string[], pattern: RegExp): readonly number[] {
  return lines.flatMap((line, index) => (pattern.test(line) ? [index] : []));
}

function assertClean(pane: Pane): void {
  assert.deepEqual(pane.cursor(), { column: 0, visible: true, wraps: true });
  assert.deepEqual(indexesOf(pane.lines(), LANE), []);
  assert.deepEqual(indexesOf(pane.lines(), TOTAL), []);
}

for (const [columns, rows] of [
  [80, 24],
  [200, 50],
] as const) {
  test(`At ${columns} by ${rows} nothing wraps, and finished images stand above the lanes`, {
    skip: skipUnless(TMUX),
  }, async (t) => {
    const pane = open(t, columns, rows, 'hold 14 5');

    await pane.until(/^\S [67] of 14 images/);
    const { shown: lines, joined } = pane.unwrapped();
    const finished = indexesOf(lines, FINISHED);
    const lanes = indexesOf(lines, LANE);
    const [total, ...others] = indexesOf(lines, TOTAL);

    assert.deepEqual(lines, joined);
    assert.ok(finished.length >= 6);
    assert.ok(lanes.length >= 1 && lanes.length <= 7);
    assert.ok(Math.max(...finished) < Math.min(...lanes));
    assert.equal(total, Math.max(...lanes) + 1);
    assert.deepEqual(others, []);
    assert.equal(pane.cursor().visible, false);
  });
}

test('At the end the lanes are gone, and one line for each image stays', {
  skip: skipUnless(TMUX),
}, async (t) => {
  const pane = open(t, 80, 24, 'finish 14 2');

  const lines = await pane.until(/^code 0$/);

  assertClean(pane);
  assert.equal(indexesOf(lines, /^copied {3}\S/).length, 13);
  assert.equal(indexesOf(lines, /^failed {3}\S/).length, 1);
  assert.equal(indexesOf(lines, /^retry {4}\S/).length, 1);
  assert.deepEqual(lines.slice(-2), ['finished', 'code 0']);
});

test('While images are looked at, the row says how many were', {
  skip: skipUnless(TMUX),
}, async (t) => {
  const pane = open(t, 80, 24, 'finish 14 60');

  await pane.until(/^\S planning \d+\/14$/);
});

test('Ctrl-C is the caller’s, and after it the terminal is clean', {
  skip: skipUnless(TMUX),
}, async (t) => {
  const pane = open(t, 80, 24, 'hold 14 5');
  await pane.until(/^before the first event, SIGINT has 0 listeners$/);
  await pane.until(TOTAL);

  pane.press('C-c');

  await pane.until(/^interrupted and cleaned up$/);
  await pane.until(/^code 0$/);
  assertClean(pane);
});

test('A window that becomes narrower, wider and lower holds one block of lanes', {
  skip: skipUnless(TMUX),
}, async (t) => {
  const pane = open(t, 100, 30, 'hold 14 5');
  await pane.until(/^\S [67] of 14 images/);

  for (const [columns, rows] of [
    [47, 30],
    [120, 30],
    [70, 12],
    [90, 30],
  ] as const) {
    pane.resize(columns, rows);
    // The row for the whole has a fact more or less at each of these widths.
    await pane.until(columns < 60 ? /images.* \d+%$/ : TOTAL);
  }
  pane.press('Enter');
  await pane.until(/^code 0$/);

  assertClean(pane);
  const lines = pane.lines({ history: true, joined: true });
  assert.equal(indexesOf(lines, /^copied {3}\S/).length, 13);
  assert.deepEqual(indexesOf(lines, TOTAL), []);
});

test('What others write stands above the lanes, every line of it', {
  skip: skipUnless(TMUX),
}, async (t) => {
  const pane = open(t, 80, 24, 'chatter 14 2');

  const lines = await pane.until(/^code 0$/);

  assertClean(pane);
  const written = lines.filter((line) => line.startsWith('somebody else'));
  const expected = written.map((_, index) => `somebody else wrote line ${(index + 1) * 25}`);
  assert.ok(written.length >= 10);
  assert.deepEqual(written, expected);
});

test('An error that nobody catches is seen whole, and the cursor is back', {
  skip: skipUnless(TMUX),
}, async (t) => {
  const pane = open(t, 80, 30, 'throw 14 5');

  await pane.until(/^Error: thrown in the middle$/);
  await pane.until(/^code 1$/);

  const { visible, column, wraps } = pane.cursor();
  assert.deepEqual({ visible, column, wraps }, { visible: true, column: 0, wraps: true });
});

test('A process that exits in the middle gives the cursor back', {
  skip: skipUnless(TMUX),
}, async (t) => {
  const pane = open(t, 80, 24, 'exit 14 5');

  await pane.until(/^code 3$/);

  assert.deepEqual(pane.cursor(), { column: 0, visible: true, wraps: true });
});

test('More lanes than a low terminal has rows keep the row for the whole in sight', {
  skip: skipUnless(TMUX),
}, async (t) => {
  const pane = open(t, 80, 8, 'hold 14 20 14');

  await pane.until(TOTAL);
  assert.ok(pane.lines().length <= 8);
  pane.press('Enter');
  const lines = await pane.until(/^code 0$/);

  assert.equal(indexesOf(lines, /^copied {3}\S/).length, 13);
  assertClean(pane);
});

test('On standard error it is drawn also when standard output goes to a file', {
  skip: skipUnless(TMUX),
}, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'lanes-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'stdout');
  const pane = open(t, 80, 24, `stderr 14 10 > '${file}'`);

  await pane.until(TOTAL);
  await pane.until(/^code 0$/);

  assertClean(pane);
  const text = readFileSync(file, 'utf8');
  assert.match(text, /^before the first event.*\nfinished\n$/);
});

test('However many events come, there are no more than ten frames a second', {
  skip: skipUnless(SCRIPT),
}, async () => {
  const started = performance.now();

  const { stdout } = await run('script', ['-qec', `${SHOW} finish 300 0 20`, '/dev/null']);

  const frames = stdout.split('\u001b[?2026h').length - 1;
  const most = (performance.now() - started) / 100 + 1;
  assert.ok(frames >= 1 && frames <= most, `${frames} frames, at most ${most}`);
});
