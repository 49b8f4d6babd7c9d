// biome-ignore-all lint/suspicious/noTemplateCurlyInString: so auth.json names a variable
import assert from 'node:assert/strict';
import { chmod, symlink } from 'node:fs/promises';
import { type TestContext, test } from 'node:test';
import { type Desk, openDesk } from '../support/cli.ts';
import { assertRefused } from './move.ts';

async function deskOf(t: TestContext): Promise<Desk> {
  const desk = await openDesk();
  t.after(() => desk.close());
  return desk;
}

const KEYED = { MIGRATE_IMAGES_AUTH_KEY: Buffer.alloc(32, 'k').toString('base64') };
const PLAIN = `// logins of May
{
  "r.example": {"username" : "alice", "password":"s3cr\\"t", "insecure": true, },
\t"d.example":   { "username": "$WHO", "password": "\${SECRET}" }, // not set here
}
`;
const SEALED =
  /^\/\/ logins of May\n\{\n {2}"r\.example": \{"username" : "enc:v1:[\w-]+", "password":"enc:v1:[\w-]+", "insecure": true, \},\n\t"d\.example": {3}\{ "username": "\$WHO", "password": "\$\{SECRET\}" \}, \/\/ not set here\n\}\n$/;

test('"auth encrypt" seals the plain logins, "auth decrypt" opens them, and all else stays to the byte', async (t) => {
  const desk = await deskOf(t);
  await desk.write('auth.json', PLAIN);
  await chmod(desk.path('auth.json'), 0o644);

  const encrypted = await desk.run(['auth', 'encrypt']);
  const sealed = await desk.read('auth.json');
  const mode = await desk.modeOf(desk.path('auth.json'));
  await chmod(desk.path('auth.json'), 0o644);
  const decrypted = await desk.run(['auth', 'decrypt']);

  assert.deepEqual(encrypted, {
    code: 0,
    stdout: `encrypted 2 values of ./auth.json; the key is in ${desk.keyFile}\n`,
    stderr: '',
  });
  assert.match(sealed, SEALED);
  assert.equal(mode, 0o600);
  assert.equal(await desk.modeOf(desk.keyFile), 0o600);
  assert.deepEqual(decrypted, {
    code: 0,
    stdout:
      'decrypted 2 values of ./auth.json; the next run encrypts them again, unless with --no-encrypt-auth\n',
    stderr: '',
  });
  assert.equal(await desk.read('auth.json'), PLAIN);
  assert.equal(await desk.modeOf(desk.path('auth.json')), 0o600);
});

test('A file with nothing to encrypt or decrypt stays as it is, and no key is made for it', async (t) => {
  const desk = await deskOf(t);
  const text = '{"r.example": {"username": "$WHO", "password": "$SECRET"}, "d.example": {}}';
  await desk.write('logins.json', text);
  await chmod(desk.path('logins.json'), 0o644);

  const encrypted = await desk.run(['auth', 'encrypt', '--auth', 'logins.json']);
  const decrypted = await desk.run(['auth', 'decrypt', '--auth', 'logins.json']);

  assert.deepEqual(encrypted, {
    code: 0,
    stdout: 'nothing to encrypt in logins.json\n',
    stderr: '',
  });
  assert.deepEqual(decrypted, {
    code: 0,
    stdout: 'nothing to decrypt in logins.json\n',
    stderr: '',
  });
  assert.equal(await desk.read('logins.json'), text);
  assert.equal(await desk.modeOf(desk.path('logins.json')), 0o644);
  await assert.rejects(desk.modeOf(desk.keyFile), { code: 'ENOENT' });
});

test('A YAML file works alike, also through a link and with a key from the environment', async (t) => {
  const desk = await deskOf(t);
  await desk.write(
    'mine.yaml',
    '# mine\nr.example:\n  username: alice # who\n  password: s3cret\n',
  );
  await symlink('mine.yaml', desk.path('link.yaml'));
  const parameters = ['--auth', 'link.yaml'];

  const encrypted = await desk.run(['auth', 'encrypt', ...parameters], { environment: KEYED });
  const sealed = await desk.read('mine.yaml');
  const decrypted = await desk.run(['auth', 'decrypt', ...parameters], { environment: KEYED });

  assert.equal(
    encrypted.stdout,
    'encrypted 2 values of link.yaml; the key is in $MIGRATE_IMAGES_AUTH_KEY\n',
  );
  assert.match(sealed, /^# mine\nr\.example:\n {2}username: "enc:v1:[\w-]+" # who\n/);
  assert.equal(decrypted.code, 0);
  assert.equal(
    await desk.read('mine.yaml'),
    '# mine\nr.example:\n  username: "alice" # who\n  password: "s3cret"\n',
  );
  await assert.rejects(desk.modeOf(desk.keyFile), { code: 'ENOENT' });
});

test('"auth decrypt --stdout" prints the opened file and nothing else, and leaves it alone', async (t) => {
  const desk = await deskOf(t);
  await desk.write('auth.json', PLAIN);
  await desk.run(['auth', 'encrypt']);
  const sealed = await desk.read('auth.json');

  const printed = await desk.run(['auth', 'decrypt', '--stdout']);
  const piped = await desk.run(['auth', 'decrypt', '--stdout', '--auth', '-'], { input: sealed });

  assert.deepEqual(printed, { code: 0, stdout: PLAIN, stderr: '' });
  assert.deepEqual(piped, printed);
  assert.equal(await desk.read('auth.json'), sealed);
});

test('A value that does not open is named, and nothing is written', async (t) => {
  const desk = await deskOf(t);
  await desk.write('auth.json', PLAIN);
  await desk.run(['auth', 'encrypt']);
  const moved = (await desk.read('auth.json')).replace('"r.example"', '"x.example"');
  await desk.write('auth.json', moved);
  const named = (file: string) =>
    new RegExp(
      `^error: ${file}:3:30: "username" of "x\\.example" is encrypted and cannot be opened here; put the plain value in its place$`,
    );

  const inPlace = await desk.run(['auth', 'decrypt']);
  const printed = await desk.run(['auth', 'decrypt', '--stdout']);
  const elsewhere = await desk.run(['auth', 'decrypt'], { environment: KEYED });

  for (const finished of [inPlace, printed, elsewhere]) {
    assertRefused(finished, named('\\./auth\\.json'));
    assert.equal(finished.stdout, '');
  }
  assert.equal(await desk.read('auth.json'), moved);
});

for (const [what, parameters, message] of [
  ['is not there', [], /cannot read \.\/auth\.json: no such file or folder/],
  ['is named and not there', ['--auth', 'none.json'], /cannot read none\.json: no such file/],
  ['is broken', ['--auth', 'broken.json'], /broken\.json:1:2: broken JSON/],
  ['is no map', ['--auth', 'list.json'], /list\.json:1:1: expected a map of registries to logins/],
  ['is a folder', ['--auth', '.'], /cannot read \.: it is a folder/],
  ['is standard input', ['--auth', '-'], /- is not a file that can be replaced/],
] as const)
  for (const command of ['encrypt', 'decrypt'])
    test(`"auth ${command}" of a file that ${what} is exit 2`, async (t) => {
      const desk = await deskOf(t);
      await desk.write('broken.json', '{broken');
      await desk.write('list.json', '["s3cret"]');

      const finished = await desk.run(['auth', command, ...parameters]);

      assertRefused(finished, message);
    });

test('A key that cannot be kept is exit 2, and the file stays plain', async (t) => {
  const desk = await deskOf(t);
  await desk.write('auth.json', PLAIN);
  await desk.write('a-file', '');

  const finished = await desk.run(['auth', 'encrypt'], {
    environment: { XDG_CONFIG_HOME: desk.path('a-file') },
  });

  assertRefused(finished, /cannot read .*auth\.key: a part of the path/, /openssl rand/);
  assert.equal(await desk.read('auth.json'), PLAIN);
});
