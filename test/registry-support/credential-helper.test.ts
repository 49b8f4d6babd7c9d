import assert from 'node:assert/strict';
import { access } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { PASS_HELPER, startPassHelper, writeFakeHelper } from '../support/credential-helper.ts';
import { run } from '../support/process.ts';
import { skipUnless } from '../support/requirement.ts';

describe('docker-credential-pass in a home of its own', { skip: skipUnless(PASS_HELPER) }, () => {
  test('gives back what was stored, and leaves nothing behind', async (context) => {
    const home = await startPassHelper();
    context.after(() => home.close());
    const { environment } = home;
    await home.store({ server: 'registry.example:5000', username: 'alice', secret: 's3cr3t' });

    const got = await run('docker-credential-pass', ['get'], {
      environment,
      input: 'registry.example:5000',
    });
    const missing = await run('docker-credential-pass', ['get'], {
      environment,
      input: 'other.example',
    });
    await home.close();

    assert.equal(got.code, 0);
    assert.deepEqual(JSON.parse(got.stdout), {
      ServerURL: 'registry.example:5000',
      Username: 'alice',
      Secret: 's3cr3t',
    });
    // Version 0.6.4: an entry that is not there is no failure.
    assert.equal(missing.code, 0);
    assert.equal(JSON.parse(missing.stdout).Username, '');
    await assert.rejects(access(home.folder));
  });
});

describe('a helper of our own', () => {
  test('says what it was told to say, and remembers what it was asked', async (context) => {
    const helper = await writeFakeHelper({
      name: 'broken',
      stdout: 'credentials not found in native keychain\n',
      stderr: 'a secret reason',
      exitCode: 1,
    });
    context.after(() => helper.remove());
    const { environment } = helper;

    const answer = await run('/bin/sh', ['-c', 'docker-credential-broken get'], {
      environment,
      input: 'registry.example',
    });

    assert.deepEqual(answer, {
      code: 1,
      stdout: 'credentials not found in native keychain\n',
      stderr: 'a secret reason',
    });
    assert.deepEqual(await helper.asked(), [{ operation: 'get', input: 'registry.example' }]);
  });
});
