import assert from 'node:assert/strict';
import { chmod, chown, lstat, mkdir, stat, symlink } from 'node:fs/promises';
import { type TestContext, test } from 'node:test';
import { skipUnless } from '../support/requirement.ts';
import { SUPERUSER } from '../support/superuser.ts';
import { linesOf, loginsTo, type Move, setUp } from './move.ts';

/** A desk with logins that everybody can read, and nothing to copy. */
async function setUpOpen(t: TestContext): Promise<Move> {
  const move = await setUp(t, { source: { auth: 'basic' } });
  await chmod(move.desk.path('auth.json'), 0o644);
  await move.desk.write('images.json', '{}');
  return move;
}

const COULD = 'warning: ./auth.json could be read by other users of this machine; now it cannot';

for (const command of ['copy', 'auth check'])
  test(`"${command}" closes an auth.json that others can read, once`, async (t) => {
    const { desk } = await setUpOpen(t);

    const first = await desk.run(command.split(' '));
    const mode = await desk.modeOf(desk.path('auth.json'));
    const second = await desk.run(command.split(' '));

    assert.deepEqual([first.code, second.code], [0, 0]);
    assert.deepEqual(linesOf(first.stderr), [COULD]);
    assert.equal(mode, 0o600);
    assert.equal(second.stderr, '');
  });

test('--no-encrypt-auth leaves the permissions as well, and warns all the same', async (t) => {
  const { desk, source, destination } = await setUpOpen(t);

  const { stderr } = await desk.run(['copy', '--no-encrypt-auth']);

  assert.deepEqual(linesOf(stderr), [
    `warning: ./auth.json can be read by other users of this machine; run "chmod 600 ${desk.path('auth.json')}"`,
  ]);
  assert.equal(await desk.modeOf(desk.path('auth.json')), 0o644);
  assert.equal(await desk.read('auth.json'), loginsTo(source, destination));
});

test('An auth.json without secrets may be read by everybody', async (t) => {
  const { desk } = await setUpOpen(t);
  for (const text of [
    '{"r.example": {"insecure": true}}',
    '{"r.example": {"username": "$WHO", "password": "$SECRET"}}',
  ]) {
    await desk.write('auth.json', text);
    const environment = { WHO: 'somebody', SECRET: 'something' };

    const { code, stderr } = await desk.run(['copy'], { environment });

    assert.deepEqual([code, stderr], [0, '']);
    assert.equal(await desk.modeOf(desk.path('auth.json')), 0o644);
  }
});

test('Encrypted logins that others can read are closed to them, too', async (t) => {
  const { desk } = await setUpOpen(t);
  await desk.run(['copy']);
  await chmod(desk.path('auth.json'), 0o604);

  const { stderr } = await desk.run(['copy']);

  assert.deepEqual(linesOf(stderr), [COULD]);
  assert.equal(await desk.modeOf(desk.path('auth.json')), 0o600);
});

test('An auth.json that is a link stays one: its target is encrypted and closed, and both are named', async (t) => {
  const { desk, source, destination } = await setUpOpen(t);
  await mkdir(desk.path('secrets'));
  await desk.write('secrets/mine.json', loginsTo(source, destination));
  await chmod(desk.path('secrets/mine.json'), 0o644);
  await symlink('secrets/mine.json', desk.path('link.json'));

  const { code, stderr } = await desk.run(['copy', '--auth', 'link.json']);

  assert.equal(code, 0);
  assert.deepEqual(linesOf(stderr), [
    `warning: link.json (a link to ${desk.path('secrets/mine.json')}) could be read by other users of this machine; now it cannot`,
  ]);
  assert.ok((await lstat(desk.path('link.json'))).isSymbolicLink());
  assert.match(await desk.read('secrets/mine.json'), /"password": "enc:v1:/);
  assert.equal(await desk.modeOf(desk.path('secrets/mine.json')), 0o600);
});

test("Another user's auth.json without secrets is nothing to speak of", {
  skip: skipUnless(SUPERUSER),
}, async (t) => {
  const { desk } = await setUpOpen(t);
  await desk.write('auth.json', '{"r.example": {"insecure": true}}');
  await chown(desk.path('auth.json'), 12_345, 12_345);

  for (const command of ['copy', 'auth encrypt', 'auth decrypt']) {
    const { code, stderr } = await desk.run(command.split(' '));

    assert.deepEqual([code, stderr], [0, ''], command);
  }
});

test("Another user's auth.json is used, and neither encrypted nor closed", {
  skip: skipUnless(SUPERUSER),
}, async (t) => {
  const { desk, source, destination } = await setUpOpen(t);
  const file = desk.path('auth.json');
  await chown(file, 12_345, 12_345);

  const copied = await desk.run(['copy']);
  const encrypted = await desk.run(['auth', 'encrypt']);

  assert.deepEqual([copied.code, encrypted.code], [0, 2]);
  assert.deepEqual(linesOf(copied.stderr), [
    'warning: ./auth.json belongs to another user (12345) and can be read by others; it is used as it is, and neither encrypted nor closed',
  ]);
  assert.deepEqual(linesOf(encrypted.stderr), [
    'error: cannot replace ./auth.json: it belongs to another user (12345), who could not read it afterwards',
  ]);
  assert.equal(await desk.read('auth.json'), loginsTo(source, destination));
  const { uid, mode } = await stat(file);
  assert.deepEqual([uid, mode & 0o777], [12_345, 0o644]);
  await assert.rejects(desk.modeOf(desk.keyFile), { code: 'ENOENT' });
});
