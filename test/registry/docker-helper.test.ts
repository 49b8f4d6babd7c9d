import assert from 'node:assert/strict';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { askHelper, rememberedHelpers } from '../../src/registry/docker-helper.ts';
import { CredentialError } from '../../src/registry/errors.ts';
import {
  type FakeHelper,
  type FakeHelperOptions,
  PASS_HELPER,
  startPassHelper,
  writeFakeHelper,
} from '../support/credential-helper.ts';
import { skipUnless } from '../support/requirement.ts';
import { live } from './environment.ts';
import { failureOf } from './opening.ts';

const SERVER = 'r.example:5000';
const ANSWER = JSON.stringify({ ServerURL: SERVER, Username: 'alice', Secret: 'hunter2' });

async function fake(context: TestContext, options: FakeHelperOptions): Promise<FakeHelper> {
  const helper = await writeFakeHelper(options);
  context.after(() => helper.remove());
  live(context, helper.environment);
  return helper;
}

describe('docker-credential-pass', { skip: skipUnless(PASS_HELPER) }, () => {
  test('is asked for logins and identity tokens', async (context) => {
    const home = await startPassHelper();
    context.after(() => home.close());
    live(context, home.environment);
    await home.store({ server: SERVER, username: 'alice', secret: 'hunter2' });
    await home.store({ server: 'https://index.docker.io/v1/', username: '<token>', secret: 'abc' });

    const login = await askHelper('pass', SERVER);
    const hub = await askHelper('pass', 'https://index.docker.io/v1/');
    const nothing = await askHelper('pass', 'other.example');

    assert.deepEqual(login, { kind: 'password', username: 'alice', password: 'hunter2' });
    assert.deepEqual(hub, { kind: 'identity-token', token: 'abc' });
    assert.equal(nothing, undefined);
  });
});

describe('a credential helper', () => {
  test('gets the server on standard input', async (context) => {
    const helper = await fake(context, { name: 'fine', stdout: ANSWER });

    const login = await askHelper('fine', SERVER);

    assert.deepEqual(login, { kind: 'password', username: 'alice', password: 'hunter2' });
    assert.deepEqual(await helper.asked(), [{ operation: 'get', input: SERVER }]);
  });

  test('need not read what it is asked', async (context) => {
    const folder = await mkdtemp('/tmp/helper-');
    context.after(() => rm(folder, { recursive: true, force: true }));
    const program = join(folder, 'docker-credential-deaf');
    await writeFile(program, `#!/bin/sh\nexec 0<&-\necho '${ANSWER}'\n`);
    await chmod(program, 0o755);
    live(context, { PATH: `${folder}:${process.env['PATH']}` });

    const login = await askHelper('deaf', SERVER);

    assert.equal(login?.kind, 'password');
  });

  test('has no entry when it says so in the words of docker', async (context) => {
    await fake(context, {
      name: 'empty',
      stdout: 'credentials not found in native keychain\n',
      exitCode: 1,
    });

    assert.equal(await askHelper('empty', SERVER), undefined);
  });

  test('has no entry when its answer is empty', async (context) => {
    await fake(context, { name: 'blank', stdout: '{"ServerURL":"","Username":"","Secret":""}' });

    assert.equal(await askHelper('blank', SERVER), undefined);
  });

  test('that fails is shown with its reason, on one line', async (context) => {
    await fake(context, { name: 'sad', stdout: 'the \u001b[31mkey ring\nis locked', exitCode: 1 });

    const error = await failureOf(askHelper('sad', SERVER));

    assert.ok(error instanceof CredentialError);
    assert.equal(
      error.message,
      'docker-credential-sad failed for r.example:5000: the  [31mkey ring is locked',
    );
  });

  test('that fails silently is named all the same', async (context) => {
    await fake(context, { name: 'mute', exitCode: 3 });

    const error = await failureOf(askHelper('mute', SERVER));

    assert.match(error.message, /docker-credential-mute failed for r\.example:5000: .+/);
  });

  for (const [what, options] of Object.entries<Omit<FakeHelperOptions, 'name'>>({
    'answers and fails': { stdout: ANSWER, exitCode: 1 },
    'answers nonsense': { stdout: `hunter2 ${ANSWER}` },
    'answers without a user': { stdout: '{"Secret": "hunter2"}' },
    'answers with a list': { stdout: '["hunter2"]' },
    'answers nothing': { stdout: '' },
    'answers without end': { stdout: 'hunter2 '.repeat(300_000) },
    'says too much and fails': { stdout: 'hunter2 '.repeat(300_000), exitCode: 1 },
  }))
    test(`that ${what} is an error without its secret`, async (context) => {
      await fake(context, { name: 'odd', ...options });

      const error = await failureOf(askHelper('odd', SERVER));

      assert.ok(error instanceof CredentialError, error.stack ?? '');
      assert.match(error.message, /docker-credential-odd/);
      assert.doesNotMatch(error.message, /hunter2/);
    });

  test('that is missing is named', async () => {
    const error = await failureOf(askHelper('not-here', SERVER));

    assert.ok(error instanceof CredentialError);
    assert.match(error.message, /docker-credential-not-here is not on the PATH/);
  });

  test('that may not be run is an error', async (context) => {
    const folder = await mkdtemp('/tmp/helper-');
    context.after(() => rm(folder, { recursive: true, force: true }));
    await writeFile(join(folder, 'docker-credential-locked'), '#!/bin/sh\n', { mode: 0o600 });
    live(context, { PATH: folder });

    const error = await failureOf(askHelper('locked', SERVER));

    assert.ok(error instanceof CredentialError, error.stack ?? '');
    assert.match(error.message, /docker-credential-locked/);
  });

  test('that never answers is ended', async (context) => {
    await fake(context, { name: 'slow', hangs: true });

    const error = await failureOf(askHelper('slow', SERVER, 300));

    assert.ok(error instanceof CredentialError);
    assert.match(error.message, /docker-credential-slow did not answer within 0\.3 s/);
  });

  test('is not run by a name that is a path', async () => {
    for (const name of ['../evil', 'a/b', '', '-x', 'a b', 'a;b'])
      await assert.rejects(askHelper(name, SERVER), CredentialError);
  });

  test('is asked once for each server, however many want to know', async (context) => {
    const helper = await fake(context, { name: 'fine', stdout: ANSWER });
    const ask = rememberedHelpers();

    await Promise.all(['a', 'a', 'b', 'a'].map((server) => ask('fine', server)));
    await ask('fine', 'a');

    const servers = (await helper.asked()).map(({ input }) => input);
    assert.deepEqual(servers.toSorted(), ['a', 'b']);
  });

  test('that failed is asked again', async (context) => {
    const helper = await fake(context, { name: 'sad', stdout: 'locked', exitCode: 1 });
    const ask = rememberedHelpers();

    await failureOf(ask('sad', 'a'));
    await failureOf(ask('sad', 'a'));

    assert.equal((await helper.asked()).length, 2);
  });
});
