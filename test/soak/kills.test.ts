import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DISTRIBUTION } from '../support/distribution.ts';
import { skipUnless } from '../support/requirement.ts';
import { kill } from './kills.ts';

test('Whenever the program is killed, no tag names anything missing or wrong, and the next run goes on', {
  skip: skipUnless(DISTRIBUTION),
  timeout: 120_000,
}, async (context) => {
  const { killed, looked, uniqueBytes, sentBytes, violations } = await kill(3, 24, 7);

  context.diagnostic(
    `${killed} runs killed, ${looked} tags hashed; ${sentBytes} bytes sent for ${uniqueBytes}`,
  );
  assert.deepEqual(violations, []);
  assert.equal(killed, 3);
  assert.ok(sentBytes < 2 * uniqueBytes, `${sentBytes} bytes for ${uniqueBytes}`);
});
