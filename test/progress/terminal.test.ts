import assert from 'node:assert/strict';
import { test } from 'node:test';
import { columnsOf, rowsOf, wantsLanes } from '../../src/progress/terminal.ts';

const TERMINAL = { isTTY: true };

test('Lanes are drawn on a terminal', () => {
  assert.equal(wantsLanes(TERMINAL, { TERM: 'xterm-256color' }), true);
});

test('Nothing is drawn where there is no terminal', () => {
  assert.equal(wantsLanes({ isTTY: false }, {}), false);
  assert.equal(wantsLanes({}, {}), false);
});

test('CI, NO_COLOR, a terminal without cursor and --no-progress each mean plain lines', () => {
  const answers = [
    wantsLanes(TERMINAL, { CI: 'true' }),
    wantsLanes(TERMINAL, { CI: '1' }),
    wantsLanes(TERMINAL, { NO_COLOR: '1' }),
    wantsLanes(TERMINAL, { TERM: 'dumb' }),
    wantsLanes(TERMINAL, {}, false),
  ];

  assert.deepEqual(answers, [false, false, false, false, false]);
});

test('CI and NO_COLOR that are switched off mean nothing', () => {
  const answers = [{ CI: '' }, { CI: 'false' }, { CI: '0' }, { NO_COLOR: '' }].map((environment) =>
    wantsLanes(TERMINAL, environment),
  );

  assert.deepEqual(answers, [true, true, true, true]);
});

test('A terminal whose size is unknown is taken for 80 by 24', () => {
  const write = () => true;

  assert.deepEqual([columnsOf({ columns: 0, write }), rowsOf({ write })], [80, 24]);
  assert.deepEqual([columnsOf({ columns: 120, write }), rowsOf({ rows: 50, write })], [120, 50]);
});
