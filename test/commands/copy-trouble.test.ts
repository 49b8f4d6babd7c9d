import assert from 'node:assert/strict';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { dirname } from 'node:path';
import { type TestContext, test } from 'node:test';
import { parseRules } from '../../src/copy/rules.ts';
import { makeCertificates } from '../support/certificates.ts';
import { type Desk, openDesk } from '../support/cli.ts';
import { pushImage } from '../support/images.ts';
import { verifyImage } from '../support/images-verify.ts';
import { assertForPeople, assertRefused, linesOf, loginsTo, reportIn, setUp } from './move.ts';

async function desk(t: TestContext, files: Readonly<Record<string, string>> = {}): Promise<Desk> {
  const opened = await openDesk();
  t.after(() => opened.close());
  for (const [name, content] of Object.entries(files)) await opened.write(name, content);
  return opened;
}

const RULES = '{"127.0.0.1:1/a/b:1": "127.0.0.1:1/c/d:1"}';

for (const [what, name, content, message] of [
  [
    'broken JSON',
    'images.json',
    '{\n  "a/b:1": "c/d/e:1",\n  "f/g:1" "h"\n}',
    /^error: images\.json:3:11: broken JSON: a colon is expected$/,
  ],
  [
    'JSON that ends early',
    'images.json',
    '{\n  "a/b:1": ',
    /^error: images\.json:2:\d+: broken JSON: a value is expected$/,
  ],
  [
    'broken YAML',
    'images.yaml',
    'a/b:1: c/d/e:1\nf/g:1: [h\n',
    /^error: images\.yaml:\d+:\d+: broken YAML: /,
  ],
  [
    'an empty file',
    'images.json',
    '',
    /^error: images\.json: the file is empty; expected a map of source images to/,
  ],
  [
    'a file of comments',
    'images.json',
    '// later\n',
    /^error: images\.json: the file is empty; expected a map/,
  ],
  [
    'a list',
    'images.json',
    '["a/b:1"]',
    /^error: images\.json:1:1: expected a map of source images to destinations$/,
  ],
  [
    'a text',
    'images.yaml',
    'nginx\n',
    /^error: images\.yaml:1:1: expected a map of source images to destinations$/,
  ],
  ['a file in UTF-16', 'images.json', '\u0000{\u0000}', /^error: images\.json:1:1: /],
] as const)
  test(`${what} is one clear line, and nothing begins`, async (t) => {
    const { run } = await desk(t, { [name]: content });

    const finished = await run(['copy', '--images', name]);

    assertRefused(finished, message);
    assert.equal(finished.stdout, '');
  });

test('An images.json that is not UTF-8 says how to save it', async (t) => {
  const { run, path } = await desk(t);
  await writeFile(path('images.json'), Buffer.from(`\ufeff${RULES}`, 'utf16le'));

  const finished = await run(['copy']);

  assertRefused(
    finished,
    /^error: \.\/images\.json: the file is not UTF-8 text; save it as UTF-8$/,
  );
});

for (const [what, parameters, message] of [
  ['A missing images.json', [], /^error: cannot read \.\/images\.json: no such file or folder$/],
  [
    'A missing named auth file',
    ['--auth', 'no.json'],
    /^error: cannot read no\.json: no such file/,
  ],
  ['A folder for a file', ['--images', '.'], /^error: cannot read \.: it is a folder$/],
] as const)
  test(`${what} is one clear line`, async (t) => {
    const { run } = await desk(t);

    const finished = await run(['copy', ...parameters]);

    assertRefused(finished, message);
  });

test('A missing default auth.json is no error', async (t) => {
  const { run } = await desk(t, { 'images.json': '{}' });

  const { code, stdout } = await run(['copy']);

  assert.equal(code, 0);
  assert.match(stdout, /^Images\(0\) migration finished, 0 images tasks failed, 0 tasks generate/m);
});

test('A log that cannot be written ends the run before it begins', async (t) => {
  const { run, path } = await desk(t, { 'images.json': RULES });
  await mkdir(path('folder'));

  const folder = await run(['copy', '--log', 'folder']);
  const nowhere = await run(['copy', '--log', 'no/where.log']);

  for (const finished of [folder, nowhere]) {
    assertRefused(
      finished,
      /^error: the log file \S+ cannot be written \(.*\): name another one with --log$/,
    );
    assert.equal(finished.stdout, '');
  }
});

for (const [flag, parameters] of [
  ['--images', ['--log', 'images.json']],
  ['--auth', ['--log', './auth.json']],
] as const)
  test(`A log is never appended to what ${flag} names`, async (t) => {
    const { run, read } = await desk(t, { 'images.json': RULES, 'auth.json': '{}' });

    const finished = await run(['copy', ...parameters]);

    assertRefused(finished, new RegExp(`^error: --log and ${flag} name the same file: `));
    assert.equal((await read('images.json')) + (await read('auth.json')), `${RULES}{}`);
  });

for (const [what, auth, message] of [
  [
    'An unset variable',
    '{\n  "r.example": {"username": "u", "password": "$NOT_SET"}\n}',
    /^error: auth\.json:2:46: "password" of "r\.example" names the environment variable NOT_SET, which is not set$/,
  ],
  [
    'A user without a password',
    '{"r.example": {"username": "u"}}',
    /^error: auth\.json:1:15: "r\.example" has a username but no password$/,
  ],
  [
    'An unknown field',
    '{"r.example": {"user": "u"}}',
    /^error: auth\.json:1:16: "user" of "r\.example" is not known; known are username, password/,
  ],
  [
    'A login that is no map',
    '{"r.example": "hidden"}',
    /^error: auth\.json:1:15: the entry of "r\.example" must be a map such as /,
  ],
  [
    'Two entries for Docker Hub',
    '{"docker.io": {}, "index.docker.io": {}}',
    /^error: auth\.json:1:19: "index\.docker\.io" is a second entry for docker\.io$/,
  ],
  ['A list of logins', '[]', /^error: auth\.json:1:1: expected a map of registries to logins$/],
  [
    'A missing authority',
    '{"r.example": {"ca": "no.pem"}}',
    /^error: cannot read .*no\.pem: no such file or folder$/,
  ],
  [
    'A ciphertext of another machine',
    '{"r.example": {"username": "enc:v1:AAAA", "password": "x"}}',
    /^error: auth\.json:1:28: "username" of "r\.example" is encrypted and cannot be opened here; put the plain value in its place$/,
  ],
] as const)
  test(`${what} in auth.json is one clear line with its place, and the file stays as it is`, async (t) => {
    const { run, read } = await desk(t, { 'images.json': RULES, 'auth.json': auth });

    const finished = await run(['copy', '--auth', 'auth.json']);

    assertRefused(finished, message);
    assert.doesNotMatch(finished.stderr, /hidden/);
    assert.equal(await read('auth.json'), auth);
  });

for (const [what, source, destination, message] of [
  ['a registry alone', 'registry.example.com', '', /a rule needs a repository/],
  ['a registry and a slash', 'registry.example.com/', '', /a rule needs a repository/],
  [
    'a destination that is a registry alone',
    'r.example/a/b:1',
    'swr.example.com',
    /a rule needs a repository/,
  ],
  [
    'a tag on the destination of a source without',
    'r.example/a/b',
    'r.example/c/d:1',
    /the destination has a tag, but the source has none and means all its tags/,
  ],
  ['upper case', 'r.example/Team/App:1', 'r.example/c/d', /"Team\/App" must be lower case/],
  ['a bad tag', 'r.example/a/b:-1', 'r.example/c/d', /"-1" is not a tag/],
  ['a bad digest', 'r.example/a/b@sha256:12', 'r.example/c/d', /is not a digest/],
  ['a bad pattern', 'r.example/a/b:/(/', 'r.example/c/d', /\/\(\/ is not a regular expression/],
  ['an empty source', '', 'r.example/c/d', /the source is empty/],
] as const)
  test(`A rule with ${what} is reported with its place, and the others go on`, async (t) => {
    const { source: from, destination: to, desk: at } = await setUp(t);
    const app = await pushImage(from, { repository: 'team/app', tag: 'v1' });
    await at.write(
      'images.json',
      JSON.stringify(
        { [source]: destination, [`${from.host}/team/app:v1`]: `${to.host}/moved/app` },
        undefined,
        2,
      ),
    );

    const finished = await at.run(['copy']);

    const [line = '', ...others] = linesOf(finished.stderr);
    assert.equal(finished.code, 1);
    assert.ok(line.startsWith(`./images.json:2:3: "${source}" -> "${destination}": `), line);
    assert.match(line, message);
    assert.deepEqual(others, []);
    assertForPeople(finished);
    assert.deepEqual(await verifyImage(to, 'moved/app', 'v1', app.digest), []);
  });

test('A destination that is neither a text nor a list of texts is an error of its rule', async (t) => {
  const { run } = await desk(t, {
    'images.json': '{"r.example/a/b:1": 7,\n"r.example/a/c:1": {"to": "x"}}',
  });

  const { code, stderr } = await run(['copy']);

  assert.equal(code, 1);
  assert.deepEqual(linesOf(stderr), [
    './images.json:1:2: "r.example/a/b:1" -> "7": the destination must be a text, or a list of texts',
    './images.json:2:1: "r.example/a/c:1" -> "(a map)": the destination must be a text, or a list of texts',
  ]);
});

test('An unknown host says that it is unknown', async (t) => {
  const { source, desk: at } = await setUp(t);
  await pushImage(source, { repository: 'team/app', tag: 'v1' });
  await at.write(
    'images.json',
    JSON.stringify({ [`${source.host}/team/app:v1`]: 'no-such-registry.invalid/a/b' }),
  );

  const finished = await at.run(['copy', '-o', 'json', '-r', '0']);

  const [image] = reportIn(finished).images;
  assert.equal(finished.code, 1);
  assert.match(image?.error?.code ?? '', /^(UNKNOWN_HOST|NETWORK)$/);
  assert.match(image?.error?.message ?? '', /^destination: no-such-registry\.invalid: /);
  assertForPeople({ ...finished, stdout: '' });
});

for (const auth of ['basic', 'token'] as const)
  test(`A wrong password for a ${auth} login is said with the registry, without a second try and without the password`, async (t) => {
    const { source, destination, desk: at } = await setUp(t, { source: { auth } });
    await pushImage(source, { repository: 'team/app', tag: 'v1' });
    const wrong = { username: 'tester', password: 'not-the-password', insecure: true };
    await at.write(
      'auth.json',
      JSON.stringify({ [source.host]: wrong, [destination.host]: { insecure: true } }),
    );
    await at.write(
      'images.json',
      JSON.stringify({ [`${source.host}/team/app:v1`]: `${destination.host}/moved/app` }),
    );

    const finished = await at.run(['copy', '-o', 'json']);

    const [image] = reportIn(finished).images;
    const log = await at.read('image-migrator.log');
    assert.equal(finished.code, 1);
    assert.equal(image?.error?.code, 'UNAUTHORIZED');
    assert.equal(image?.attempts, 1);
    assert.match(image?.error?.message ?? '', /^source: .*127\.0\.0\.1:\d+/);
    assert.match(
      image?.error?.hint ?? '',
      /^check this registry's user name and password .*the log says which login was used/,
    );
    assert.doesNotMatch(finished.stdout + finished.stderr + log, /not-the-password/);
    assertForPeople(finished);
  });

test('A registry that speaks plain HTTP needs "insecure", and the error says so', async (t) => {
  const { source, destination, desk: at } = await setUp(t);
  await at.write('auth.json', loginsTo(destination));
  await at.write(
    'images.json',
    JSON.stringify({ [`${source.host}/team/app:v1`]: `${destination.host}/moved/app` }),
  );

  const finished = await at.run(['copy', '-r', '0']);

  assert.equal(finished.code, 1);
  assert.match(
    finished.stdout,
    /^failed .* : source: 127\.0\.0\.1:\d+: it does not speak TLS \(plain HTTP\?\) \[TLS\]; .*"insecure": true/m,
  );
  assert.deepEqual(source.log.records, []);
  assertForPeople(finished);
});

test('A certificate of an unknown authority is refused, until auth.json names the authority', async (t) => {
  const tls = await makeCertificates();
  t.after(() => tls.remove());
  const { source, destination, desk: at } = await setUp(t, { source: { tls } });
  const app = await pushImage(source, { repository: 'team/app', tag: 'v1' });
  await at.write('auth.json', loginsTo(destination));
  await at.write(
    'images.json',
    JSON.stringify({ [`${source.host}/team/app:v1`]: `${destination.host}/moved/app` }),
  );

  const refused = await at.run(['copy', '-r', '0']);
  await at.write('ca.pem', tls.authority);
  await at.write(
    'auth.json',
    JSON.stringify({ [source.host]: { ca: 'ca.pem' }, [destination.host]: { insecure: true } }),
  );
  const trusted = await at.run(['copy']);

  assert.equal(refused.code, 1);
  assert.match(
    refused.stdout,
    /^failed .*certificate.*\[TLS\]; give its authority as "ca" in auth\.json/m,
  );
  assertForPeople(refused);
  assert.equal(trusted.code, 0, trusted.stdout);
  assert.deepEqual(await verifyImage(destination, 'moved/app', 'v1', app.digest), []);
});

test('A server that answers nonsense is a failed image, not a crash', async (t) => {
  const { source, destination, desk: at } = await setUp(t);
  const nonsense = createServer((socket) =>
    socket.on('error', () => {}).end('SSH-2.0-OpenSSH_9.2\r\n'),
  );
  await new Promise<void>((resolve) => nonsense.listen(0, '127.0.0.1', resolve));
  t.after(() => nonsense.close());
  const { port } = nonsense.address() as { readonly port: number };
  const host = `127.0.0.1:${port}`;
  await at.write(
    'auth.json',
    JSON.stringify({ [host]: { insecure: true }, [destination.host]: { insecure: true } }),
  );
  await at.write(
    'images.json',
    JSON.stringify({ [`${host}/team/app:v1`]: `${destination.host}/moved/app` }),
  );

  const finished = await at.run(['copy', '-r', '0']);

  assert.ok(source);
  assert.equal(finished.code, 1);
  assert.match(finished.stdout, /^failed .* : source: 127\.0\.0\.1:\d+: .*\[NETWORK\]/m);
  assertForPeople(finished);
});

test('What a registry says cannot move the cursor or hide in the report', async (t) => {
  const { source, destination, desk: at } = await setUp(t);
  const body = JSON.stringify({
    errors: [{ code: 'DENIED', message: '\u001b[2Jcleared\u202e\n at line' }],
  });
  source.faults.add({ class: 'manifest', answer: { status: 403, body } });
  await at.write(
    'images.json',
    JSON.stringify({ [`${source.host}/team/app:v1`]: `${destination.host}/moved/app` }),
  );

  const { stdout } = await at.run(['copy', '-r', '0']);

  assert.match(stdout, /^failed .*DENIED.*cleared/m);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they must not be there
  assert.doesNotMatch(stdout, /[\u0000-\u0009\u000b-\u001f\u202e]/);
  assert.equal(linesOf(stdout).length, 5);
});

test('A key for the seal that cannot be kept is a warning with what to do, and the copy counts', async (t) => {
  const { source, destination, desk: at } = await setUp(t, { source: { auth: 'basic' } });
  await pushImage(source, { repository: 'team/app', tag: 'v1' });
  await at.write(
    'images.json',
    JSON.stringify({ [`${source.host}/team/app:v1`]: `${destination.host}/moved/app` }),
  );
  // A link to nowhere, which also the superuser cannot write through.
  await mkdir(dirname(at.keyFile), { recursive: true });
  await symlink('nowhere', at.keyFile);

  const finished = await at.run(['copy']);

  assert.equal(finished.code, 0, finished.stderr);
  assert.ok(finished.stderr.startsWith(`warning: cannot write ${at.keyFile}: `), finished.stderr);
  assert.match(finished.stderr, /; "openssl rand -base64 32" makes a key for/);
  assert.equal(linesOf(finished.stderr).length, 1);
  assert.equal(await at.read('auth.json'), loginsTo(source, destination));
});

test('50,000 rules are read, and each of those that are wrong has its place', () => {
  const lines = Array.from(
    { length: 50_000 },
    (_, number) => `"r.example/team/app${number}:1": "d.example/x/app${number}"`,
  );
  lines[49_998] = '"r.example": ""';
  const text = `{\n${lines.join(',\n')}\n}`;
  const begun = process.cpuUsage();

  const { rules, failures } = parseRules(text, 'images.json', {
    sourceRegistry: 'docker.io',
    sourceNamespace: 'library',
  });

  const { user, system } = process.cpuUsage(begun);
  assert.equal(rules.length, 49_999);
  assert.deepEqual(
    failures.map(({ place }) => [place.line, place.column]),
    [[50_000, 1]],
  );
  // 100,000 rules are to take no more than two seconds; of the processor, which other work does not slow down.
  assert.ok(user + system < 2_000_000, `${(user + system) / 1e6} s of the processor`);
});

test('An images.json that cannot be read says so', async (t) => {
  const { run, path } = await desk(t, {});
  // Not by its mode: a superuser may read everything.
  await mkdir(path('images.json'));

  const finished = await run(['copy']);

  assertRefused(finished, /^error: cannot read \.\/images\.json: it is a folder$/);
});

for (const [flag, value, message] of [
  [
    '--registry',
    'https://r.example/',
    /^error: --registry: "https:\/\/r\.example\/" is not a host/,
  ],
  ['--registry', 'r.example/team', /^error: --registry: "r\.example\/team" is not a host/],
  ['--namespace', '/team/', /^error: --namespace: "\/team\/" is not a path/],
  ['--default-source-registry', 'a b', /^error: --default-source-registry: "a b" is not a host/],
] as const)
  test(`${flag} ${value} is refused once, before any rule is`, async (t) => {
    const { run } = await desk(t, { 'images.json': '{"a/b:1": "", "a/b:2": ""}' });

    const finished = await run(['copy', flag, value]);

    assertRefused(finished, message);
  });
