import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { openScreen } from '../../src/progress/screen.ts';

function fakeTerminal(columns = 80, rows = 24) {
  const writes: string[] = [];
  const terminal = { columns, rows, write: (text: string) => writes.push(text) };
  return { terminal, writes, texts: () => writes.map(stripVTControlCharacters) };
}

function linesBack(frame: string): number {
  return frame.split('\u001b[A').length - 1;
}

test('A frame is one write, and one that changes nothing is none', () => {
  const { terminal, writes } = fakeTerminal();
  const screen = openScreen(terminal);

  screen.draw(['a', 'b']);
  screen.draw(['a', 'b']);
  screen.draw(['a', 'c']);

  assert.equal(writes.length, 2);
});

test('Text above comes with the next frame, before the rows', () => {
  const { terminal, texts } = fakeTerminal();
  const screen = openScreen(terminal);
  screen.draw(['lane']);

  screen.above('finished');
  screen.above('by others\n');
  screen.draw(['lane']);

  assert.deepEqual(
    texts().map((text) => text.replaceAll('\r', '')),
    ['lane\n', 'finished\nby others\nlane\n'],
  );
});

test('A frame goes back over as many lines as the last one has', () => {
  const { terminal, writes } = fakeTerminal();
  const screen = openScreen(terminal);

  screen.draw(['a', 'b', 'c']);
  screen.draw(['a']);
  screen.close();

  assert.deepEqual(writes.map(linesBack), [0, 3, 1]);
});

test('Where the window became narrower, it goes back over the lines that the rows now take', () => {
  const { terminal, writes } = fakeTerminal();
  const screen = openScreen(terminal);
  screen.draw(['x'.repeat(80), `\u001b[36m${'y'.repeat(30)}\u001b[39m`]);

  terminal.columns = 30;
  screen.draw(['x']);

  assert.deepEqual(writes.map(linesBack), [0, 4]);
});

test('A low terminal shows the last rows', () => {
  const { terminal, texts } = fakeTerminal(80, 4);
  const screen = openScreen(terminal);

  screen.draw(['a', 'b', 'c', 'd', 'total']);

  assert.deepEqual(texts(), ['\rc\nd\ntotal\n']);
});

test('Every frame leaves the breaking of lines as it was', () => {
  const { terminal, writes } = fakeTerminal();
  const screen = openScreen(terminal);

  screen.draw(['lane']);

  const [frame = ''] = writes;
  assert.ok(frame.indexOf('\u001b[?7l') < frame.indexOf('lane'));
  assert.ok(frame.lastIndexOf('\u001b[?7h') > frame.indexOf('lane'));
});

test('Closing takes the block away, prints what is left and shows the cursor', () => {
  const { terminal, writes, texts } = fakeTerminal();
  const screen = openScreen(terminal);
  screen.draw(['lane']);
  screen.above('finished');

  screen.close();
  screen.close();

  assert.equal(writes.length, 2);
  assert.equal(texts()[1], '\rfinished\n');
  assert.ok(writes[1]?.endsWith('\u001b[?25h'));
});

test('A screen that never drew writes nothing when it is closed', () => {
  const { terminal, writes } = fakeTerminal();

  openScreen(terminal).close();
  openScreen(terminal).abandon();

  assert.deepEqual(writes, []);
});

test('Abandoning leaves the rows, prints what is left and shows the cursor', () => {
  const { terminal, writes } = fakeTerminal();
  const screen = openScreen(terminal);
  screen.draw(['lane']);
  screen.above('finished');

  screen.abandon();

  assert.equal(writes[1], 'finished\n\u001b[?25h');
});
