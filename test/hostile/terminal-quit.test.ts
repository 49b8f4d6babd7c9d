import assert from 'node:assert/strict';
import { test } from 'node:test';
import { skipUnless } from '../support/requirement.ts';
import { drawing, TMUX } from './drawing.ts';

test('Ctrl-\\ gives the cursor back', {
  skip: skipUnless(TMUX),
  timeout: 40_000,
}, async (context) => {
  const { pane, signal } = await drawing(context);

  await signal('SIGQUIT');
  await pane.until(/^code \d+$/);

  assert.equal(pane.cursor().visible, true);
});
