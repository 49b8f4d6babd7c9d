import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { printable } from '../../src/text/printable.ts';

test('A plain text stays as it is', () => {
  assert.equal(
    printable('denied: no access to "team/äpp" 😀'),
    'denied: no access to "team/äpp" 😀',
  );
});

test('Control characters, line breaks and escape sequences become spaces', () => {
  assert.equal(printable('a\u001b[31mb\r\nc\u0000\u0085d\u2028e'), 'a [31mb c d e');
});

test('Marks that turn the direction of a text go', () => {
  assert.equal(printable('a\u202eb\u2066c\u200fd\u061ce'), 'a b c d e');
});

test('A long text is cut, and shows it', () => {
  assert.equal(printable('x'.repeat(400)), `${'x'.repeat(299)}…`);
  assert.equal(printable('abcdef', 4), 'abc…');
  assert.equal(printable('abcd', 4), 'abcd');
});

test('A cut never leaves half a character', () => {
  assert.equal(printable('ab😀😀', 4), 'ab…');
});

test('Whatever came in, one line of sane length comes out', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 400 }), (text) => {
      const line = printable(text);

      assert.ok(line.length <= 300);
      assert.ok(line.isWellFormed() || !text.isWellFormed());
      for (const mark of ['\n', '\r', '\u001b', '\u0000', '\u202e'])
        assert.ok(!line.includes(mark));
    }),
  );
});
