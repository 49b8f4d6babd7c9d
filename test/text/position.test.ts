import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { positionsOf } from '../../src/text/position.ts';

test('Lines and columns are counted from 1', () => {
  const position = positionsOf('ab\r\n\nc');

  assert.deepEqual(position(0), { line: 1, column: 1 });
  assert.deepEqual(position(1), { line: 1, column: 2 });
  assert.deepEqual(position(4), { line: 2, column: 1 });
  assert.deepEqual(position(5), { line: 3, column: 1 });
  assert.deepEqual(position(6), { line: 3, column: 2 });
});

test('A byte order mark takes no column', () => {
  const position = positionsOf('\uFEFFab\nc');

  assert.deepEqual(position(0), { line: 1, column: 1 });
  assert.deepEqual(position(1), { line: 1, column: 1 });
  assert.deepEqual(position(2), { line: 1, column: 2 });
  assert.deepEqual(position(4), { line: 2, column: 1 });
});

test('Every offset stands where counting says it does', () => {
  const text = fc.stringMatching(/^[ab\n\r]{0,40}$/);
  fc.assert(
    fc.property(text, (whole) => {
      const position = positionsOf(whole);

      for (let offset = 0; offset <= whole.length; offset += 1) {
        const lines = whole.slice(0, offset).split('\n');
        const expected = { line: lines.length, column: (lines.at(-1)?.length ?? 0) + 1 };
        assert.deepEqual(position(offset), expected);
      }
    }),
  );
});
