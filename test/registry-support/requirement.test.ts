import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { run } from '../support/process.ts';

const MODULE = JSON.stringify(new URL('../support/requirement.ts', import.meta.url).href);

function ask(found: boolean, environment: Record<string, string | undefined>) {
  const call = `skipUnless({ name: 'thing', found: ${found}, remedy: 'install thing' })`;
  const code = `const { skipUnless } = await import(${MODULE});
    ${call}; console.log(JSON.stringify(${call}));`;
  return run(process.execPath, ['--input-type=module', '--eval', code], { environment });
}

describe('a requirement', () => {
  test('skips nothing where it is met', async () => {
    const { stdout, stderr } = await ask(true, { REQUIRE_ALL: '1' });

    assert.equal(stdout, 'false\n');
    assert.equal(stderr, '');
  });

  test('skips with one line that says how to meet it, however often it is asked', async () => {
    const { stdout, stderr } = await ask(false, { REQUIRE_ALL: '' });

    assert.equal(stdout, '"thing is not here: install thing"\n');
    assert.equal(stderr, 'skipped: thing is not here: install thing\n');
  });

  test('fails where nothing may be skipped', async () => {
    const { code, stdout, stderr } = await ask(false, { REQUIRE_ALL: '1' });

    assert.equal(code, 1);
    assert.equal(stdout, '');
    assert.match(stderr, /Error: thing is not here: install thing/);
  });
});
