import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { makeCertificates } from '../support/certificates.ts';
import { PASS_HELPER, startPassHelper } from '../support/credential-helper.ts';
import { pushImage } from '../support/images.ts';
import { verifyImage } from '../support/images-verify.ts';
import { skipUnless } from '../support/requirement.ts';
import { linesOf, loginsTo, type Move, setUp } from './move.ts';

const SOURCE_USER = { username: 'source-user', password: '$tart/with"quote$' };
const DESTINATION_USER = { username: 'destination-user', password: 'p@ss:w0rd' };

/** A source with a basic login and a destination with tokens; the auth.json is written by the test. */
async function setUpWithLogins(t: TestContext): Promise<Move & { readonly digest: string }> {
  const move = await setUp(t, {
    source: { auth: 'basic', users: [SOURCE_USER] },
    destination: { auth: 'token', users: [DESTINATION_USER] },
    logins: 'none',
  });
  const { source, destination, desk } = move;
  const { digest } = await pushImage(source, { repository: 'team/app', tag: 'v1' });
  await desk.write(
    'images.json',
    JSON.stringify({ [`${source.host}/team/app:v1`]: `${destination.host}/moved/app` }),
  );
  return { ...move, digest };
}

const BRACED = ['$', '{SECRET}'].join('');

function authText({ source, destination }: Move): string {
  return `// logins of May
{
  "${source.host}": {"username" : "source-user", "password":"$tart/with\\"quote$", "insecure": true },
\t"${destination.host}":   {
    "password": "p@ss:w0rd", /* changed in June */ "username": "destination-user",
    "insecure": true
  },
  "elsewhere.example": { "username": "\${ELSEWHERE_USER}", "password": "$ELSEWHERE_PASSWORD" },
}
`;
}

const ELSEWHERE = { ELSEWHERE_USER: 'somebody', ELSEWHERE_PASSWORD: 'something' };

test('auth.json logs in to both sides, is sealed afterwards to the byte, and opens again', async (t) => {
  const move = await setUpWithLogins(t);
  const { destination, desk, digest } = move;
  const plain = authText(move);
  await desk.write('auth.json', plain);

  const first = await desk.run(['copy'], { environment: ELSEWHERE });
  const sealed = await desk.read('auth.json');
  const second = await desk.run(['copy'], { environment: ELSEWHERE });

  const parts = plain
    .split(/"source-user"|"\$tart\/with\\"quote\$"|"p@ss:w0rd"|"destination-user"/)
    .map((part) => part.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&'));
  assert.deepEqual([first.code, second.code], [0, 0], first.stderr + second.stderr);
  assert.match(sealed, new RegExp(`^${parts.join('"enc:v1:[\\w-]+"')}$`));
  assert.equal(await desk.read('auth.json'), sealed);
  assert.equal(await desk.modeOf(desk.path('auth.json')), 0o600);
  assert.match(second.stdout, /^skipped /m);
  assert.deepEqual(await verifyImage(destination, 'moved/app', 'v1', digest), []);
});

test('The key of sealed logins is for its owner alone', async (t) => {
  const move = await setUpWithLogins(t);
  const { desk } = move;
  await desk.write('auth.json', authText(move));

  await desk.run(['copy'], { environment: ELSEWHERE });

  assert.equal(await desk.modeOf(desk.keyFile), 0o600);
  assert.equal(await desk.modeOf(dirname(desk.keyFile)), 0o700);
  assert.equal(Buffer.from(await readFile(desk.keyFile, 'utf8'), 'base64').length, 32);
});

test('With $MIGRATE_IMAGES_AUTH_KEY no key file is made, and another key opens nothing', async (t) => {
  const move = await setUpWithLogins(t);
  const { source, desk } = move;
  await desk.write('auth.json', authText(move));
  const keyed = (letter: string) => ({
    ...ELSEWHERE,
    MIGRATE_IMAGES_AUTH_KEY: Buffer.alloc(32, letter).toString('base64'),
  });

  const first = await desk.run(['copy'], { environment: keyed('a') });
  const again = await desk.run(['copy'], { environment: keyed('a') });
  const other = await desk.run(['copy'], { environment: keyed('b') });

  assert.deepEqual([first.code, again.code, other.code], [0, 0, 2]);
  await assert.rejects(desk.modeOf(desk.keyFile), { code: 'ENOENT' });
  assert.deepEqual(linesOf(other.stderr), [
    `error: ./auth.json:3:${`  "${source.host}": {"username" : `.length + 1}: "username" of "${source.host}" is encrypted and cannot be opened here; put the plain value in its place`,
  ]);
});

test('A broken $MIGRATE_IMAGES_AUTH_KEY is said, and nothing of it is shown', async (t) => {
  const move = await setUpWithLogins(t);
  await move.desk.write('auth.json', authText(move));
  const environment = { ...ELSEWHERE, MIGRATE_IMAGES_AUTH_KEY: 'too-short-a-secret' };

  const { code, stderr } = await move.desk.run(['copy'], { environment });

  assert.equal(code, 2);
  assert.match(
    stderr,
    /^error: \$MIGRATE_IMAGES_AUTH_KEY must hold 32 bytes in base64\n"openssl rand/,
  );
  assert.doesNotMatch(stderr, /too-short/);
});

test('A new password goes where the ciphertext stood, and is sealed as well', async (t) => {
  const move = await setUpWithLogins(t);
  const { desk } = move;
  await desk.write('auth.json', loginsTo(move.source, move.destination));
  await desk.run(['copy']);
  const sealed = await desk.read('auth.json');
  const [, ciphertext = ''] = /"password": "(enc:[^"]+)"/.exec(sealed) ?? [];
  await desk.write(
    'auth.json',
    sealed.replace(ciphertext, SOURCE_USER.password.replace('"', '\\"')),
  );

  const { code } = await desk.run(['copy']);

  const afterwards = await desk.read('auth.json');
  assert.equal(code, 0);
  assert.equal(afterwards.match(/"enc:v1:/g)?.length, 4);
  assert.ok(!afterwards.includes(ciphertext));
});

test('--no-encrypt-auth leaves auth.json as it is', async (t) => {
  const move = await setUpWithLogins(t);
  const { desk } = move;
  await desk.write('auth.json', authText(move));

  const { code } = await desk.run(['copy', '--no-encrypt-auth'], { environment: ELSEWHERE });

  assert.equal(code, 0);
  assert.equal(await desk.read('auth.json'), authText(move));
  await assert.rejects(desk.modeOf(desk.keyFile), { code: 'ENOENT' });
});

test('A YAML auth.json works, and is sealed in place too', async (t) => {
  const move = await setUpWithLogins(t);
  const { source, destination, desk } = move;
  await desk.write(
    'logins.yaml',
    `# two\n"${source.host}":\n  username: source-user # who\n  password: '$tart/with"quote$'\n  insecure: true\n` +
      `"${destination.host}": {username: destination-user, password: "p@ss:w0rd", insecure: true}\n`,
  );

  const first = await desk.run(['copy', '--auth', 'logins.yaml']);
  const sealed = await desk.read('logins.yaml');
  const second = await desk.run(['copy', '--auth', 'logins.yaml']);

  assert.deepEqual([first.code, second.code], [0, 0], first.stderr + second.stderr);
  assert.match(
    sealed,
    /^# two\n"[^"]+":\n {2}username: "enc:v1:[\w-]+" # who\n {2}password: "enc:/,
  );
  assert.doesNotMatch(sealed, /source-user|quote|destination-user|p@ss/);
});

test('A password may come from the environment, and stays a reference', async (t) => {
  const move = await setUpWithLogins(t);
  const { source, destination, desk } = move;
  const text = JSON.stringify({
    [source.host]: { username: '$WHO', password: BRACED, insecure: true },
    [destination.host]: { username: '$WHO', password: '$SECRET', insecure: true },
  });
  await desk.write('auth.json', text);
  const environment = { WHO: SOURCE_USER.username, SECRET: SOURCE_USER.password };

  const { stdout } = await desk.run(['copy', '-r', '0'], { environment });

  assert.equal(await desk.read('auth.json'), text);
  assert.match(
    stdout,
    /^failed .* : destination: .*\[UNAUTHORIZED\]; check this registry.s user name and pass/m,
  );
  assert.doesNotMatch(stdout, /source-user|quote/);
});

test('A real docker credential helper is asked where auth.json says nothing', {
  skip: skipUnless(PASS_HELPER),
}, async (t) => {
  const tls = await makeCertificates();
  t.after(() => tls.remove());
  const pass = await startPassHelper();
  t.after(() => pass.close());
  const { source, destination, desk } = await setUp(t, {
    source: { auth: 'basic', users: [SOURCE_USER], tls },
    destination: { auth: 'token', users: [DESTINATION_USER], tls },
    logins: 'none',
  });
  const { digest } = await pushImage(source, { repository: 'team/app', tag: 'v1' });
  for (const [{ host }, user] of [
    [source, SOURCE_USER],
    [destination, DESTINATION_USER],
  ] as const)
    await pass.store({ server: host, username: user.username, secret: user.password });
  const credHelpers = { [source.host]: 'pass' };
  await writeFile(
    join(pass.folder, 'config.json'),
    JSON.stringify({ credHelpers, credsStore: 'pass' }),
  );
  const environment = {
    ...pass.environment,
    DOCKER_CONFIG: pass.folder,
    NODE_EXTRA_CA_CERTS: tls.files.authority,
  };
  await desk.write(
    'images.json',
    JSON.stringify({ [`${source.host}/team/app:v1`]: `${destination.host}/moved/app` }),
  );

  const { code, stdout } = await desk.run(['copy', '-r', '0'], { environment });

  const log = await desk.read('image-migrator.log');
  assert.equal(code, 0, stdout);
  assert.equal(log.match(/"event":"login".*docker-credential-pass/g)?.length, 2);
  assert.doesNotMatch(log, /source-user|destination-user|quote|w0rd/);
  assert.deepEqual(await verifyImage(destination, 'moved/app', 'v1', digest), []);
});

test('An interrupted or failed run seals the logins all the same', async (t) => {
  const move = await setUpWithLogins(t);
  const { desk } = move;
  await desk.write('auth.json', loginsTo(move.source, move.destination));
  move.destination.faults.add({ class: 'manifest', answer: { status: 403, code: 'DENIED' } });

  const { code } = await desk.run(['copy', '-r', '0']);

  assert.equal(code, 1);
  assert.doesNotMatch(await desk.read('auth.json'), /source-user|destination-user/);
});
