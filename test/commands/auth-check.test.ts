import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { type TestContext, test } from 'node:test';
import type { AuthReport } from '../../src/commands/auth/report.ts';
import { makeCertificates } from '../support/certificates.ts';
import { type Desk, openDesk } from '../support/cli.ts';
import { writeFakeHelper } from '../support/credential-helper.ts';
import { DISTRIBUTION, startDistribution } from '../support/distribution.ts';
import { pushImage } from '../support/images.ts';
import type { FinishedProcess } from '../support/process.ts';
import { type RunningRegistry, startRegistry } from '../support/registry.ts';
import { PUSHER, READER, type User } from '../support/registry-users.ts';
import { skipUnless } from '../support/requirement.ts';
import { assertForPeople, assertRefused, eventually, linesOf, loginsTo } from './move.ts';

async function deskOf(t: TestContext): Promise<Desk> {
  const desk = await openDesk();
  t.after(() => desk.close());
  return desk;
}

/** Closes a registry with the test. */
async function started<Registry extends RunningRegistry>(
  t: TestContext,
  starting: Promise<Registry>,
): Promise<Registry> {
  const registry = await starting;
  t.after(() => registry.close());
  return registry;
}

const SECRETS = /test-secret|read-secret|dGVzdGVy|cmVhZGVy|wr0ng/;

/** The report of a check, which holds no secret. */
function checked({ stdout, stderr }: FinishedProcess): AuthReport {
  assert.doesNotMatch(stdout + stderr, SECRETS);
  return JSON.parse(stdout) as AuthReport;
}

const entry = ({ username, password }: User) => ({ username, password, insecure: true });

test('A login is tried once for each registry and right, whatever the number of rules', async (t) => {
  const source = await started(t, startRegistry({ auth: 'basic' }));
  const destination = await started(t, startRegistry({ auth: 'token' }));
  const desk = await deskOf(t);
  await pushImage(source, { repository: 'team/app', tag: 'v1' });
  await desk.write('auth.json', loginsTo(source, destination));
  const names = ['app', 'web', 'api', 'job'];
  const rules = names.map((name) => [
    `${source.host}/team/${name}:v1`,
    [`${destination.host}/moved/${name}`, `${destination.host}/kept/${name}`],
  ]);
  await desk.write('images.json', JSON.stringify(Object.fromEntries(rules)));
  const before = await desk.read('auth.json');

  const finished = await desk.run(['auth', 'check']);

  assert.equal(finished.code, 0, finished.stderr);
  assert.deepEqual(linesOf(finished.stdout), [
    'RESULT  RIGHT  LOGIN        REPOSITORY',
    `ok      pull   ./auth.json  ${source.host}/team/app`,
    `ok      push   ./auth.json  ${destination.host}/moved/app`,
    '2 checks, 0 failed',
  ]);
  assert.equal(source.log.count('HEAD', 'manifest'), 1);
  assert.equal(source.log.count('GET', 'manifest'), 0);
  assert.deepEqual(
    destination.log.select(undefined, 'upload').map(({ method, status }) => `${method} ${status}`),
    ['POST 401', 'POST 202', 'DELETE 204'],
  );
  assert.equal(destination.store.uploads.size, 0);
  assert.equal(await desk.read('auth.json'), before);
});

test('Each of several logins of one registry is tried, and so is each way to speak to it', async (t) => {
  const registry = await started(t, startRegistry({ auth: 'token', users: [PUSHER, READER] }));
  const desk = await deskOf(t);
  const { host } = registry;
  await desk.write(
    'auth.json',
    JSON.stringify({ [host]: entry(PUSHER), [`${host}/team`]: entry(READER), [`${host}/x`]: {} }),
  );
  await desk.write(
    'images.json',
    JSON.stringify({
      [`${host}/other/a:v1`]: `${host}/out/a`,
      [`${host}/team/b:v1`]: `${host}/out/b`,
      [`${host}/team/c:v1`]: `${host}/out/c`,
      [`${host}/x/d:v1`]: `${host}/out/d`,
    }),
  );

  const finished = await desk.run(['auth', 'check', '-o', 'json']);

  const { summary, checks } = checked(finished);
  assert.equal(finished.code, 1);
  assert.deepEqual(summary, { checked: 4, failed: 1 });
  assert.deepEqual(
    checks.map(({ right, repository, origin, status }) => [right, repository, origin, status]),
    [
      ['pull', 'other/a', './auth.json', 'ok'],
      ['pull', 'team/b', './auth.json', 'ok'],
      ['pull', 'x/d', 'anonymous', 'failed'],
      ['push', 'out/a', './auth.json', 'ok'],
    ],
  );
});

test('Against distribution: what works, what is not there, and what may not be pushed', {
  skip: skipUnless(DISTRIBUTION),
}, async (t) => {
  const good = await started(t, startDistribution({ auth: 'token' }));
  const other = await started(t, startDistribution({ auth: 'token' }));
  const desk = await deskOf(t);
  await pushImage(good, { repository: 'team/app', tag: 'v1' });
  await desk.write(
    'auth.json',
    JSON.stringify({ [good.host]: entry(PUSHER), [other.host]: entry(READER) }),
  );
  await desk.write(
    'images.json',
    JSON.stringify({
      [`${good.host}/team/app:v1`]: `${other.host}/moved/app`,
      [`${other.host}/team/gone`]: `${good.host}/moved/gone`,
    }),
  );

  const finished = await desk.run(['auth', 'check', '-o', 'json']);

  const { apiVersion, kind, summary, checks } = checked(finished);
  const origin = './auth.json';
  assert.equal(finished.code, 1, finished.stderr);
  assert.deepEqual([apiVersion, kind], ['migrate-images/v1', 'AuthReport']);
  assert.deepEqual(summary, { checked: 4, failed: 1 });
  assert.deepEqual(checks, [
    { registry: good.host, repository: 'team/app', right: 'pull', origin, status: 'ok' },
    {
      ...{ registry: other.host, repository: 'team/gone', right: 'pull', origin, status: 'ok' },
      note: 'login works; the repository is not there',
    },
    {
      ...{ registry: other.host, repository: 'moved/app', right: 'push', origin, status: 'failed' },
      error: {
        code: 'DENIED',
        message: `${other.host} takes this login, but does not let it push here`,
        hint: 'this login may not do that here: ask for the right, or create the namespace or repository first',
      },
    },
    { registry: good.host, repository: 'moved/gone', right: 'push', origin, status: 'ok' },
  ]);
});

test('Against distribution: a wrong password, and a certificate that cannot be trusted', {
  skip: skipUnless(DISTRIBUTION),
}, async (t) => {
  const tls = await makeCertificates();
  t.after(() => tls.remove());
  const wrong = await started(t, startDistribution({ auth: 'token' }));
  const secure = await started(t, startDistribution({ auth: 'basic', tls }));
  const desk = await deskOf(t);
  await desk.write(
    'auth.json',
    JSON.stringify({
      [wrong.host]: { username: PUSHER.username, password: 'wr0ng', insecure: true },
      [secure.host]: { username: PUSHER.username, password: PUSHER.password },
    }),
  );
  await desk.write(
    'images.json',
    JSON.stringify({ [`${wrong.host}/team/app:v1`]: `${secure.host}/moved/app` }),
  );

  const { code, stdout, stderr } = await desk.run(['auth', 'check']);

  const realm = new URL(wrong.tokens?.realm ?? '').host;
  assert.equal(code, 1);
  assert.equal(stderr, '');
  assert.doesNotMatch(stdout, SECRETS);
  assert.deepEqual(linesOf(stdout), [
    'RESULT  RIGHT  LOGIN        REPOSITORY',
    `failed  pull   ./auth.json  ${wrong.host}/team/app`,
    `  the token service ${realm} refuses this login [UNAUTHORIZED]`,
    "  check this registry's user name and password in auth.json (the log says which",
    '  login was used), or log in with "docker login"',
    `failed  push   ./auth.json  ${secure.host}/moved/app`,
    `  ${secure.host}: its certificate is signed by an unknown authority [TLS]`,
    '  give its authority as "ca" in auth.json, or set "insecure": true there if you',
    '  trust the network',
    '2 checks, 2 failed',
  ]);
});

test('An unknown host, and a repository that has to be made first, say what to do', async (t) => {
  const registry = await started(t, startRegistry({ repositories: ['team/other'] }));
  const desk = await deskOf(t);
  await desk.write('auth.json', loginsTo(registry));
  await desk.write(
    'images.json',
    JSON.stringify({ 'nowhere.invalid/team/app:v1': `${registry.host}/moved/app` }),
  );

  const finished = await desk.run(['auth', 'check', '-o', 'json']);

  const { checks } = checked(finished);
  const [unknown, missing] = checks.map(({ error }) => error);
  assert.equal(finished.code, 1);
  assert.equal(checks[0]?.origin, 'anonymous');
  assert.equal(unknown?.code, 'UNKNOWN_HOST');
  assert.match(unknown?.hint ?? '', /check the spelling of the registry/);
  assert.equal(missing?.code, 'NAME_UNKNOWN');
  assert.match(missing?.hint ?? '', /^the repository must be created first/);
});

test('A credential helper that fails is asked once, and does not keep others from being tried', async (t) => {
  const registry = await started(t, startRegistry());
  const desk = await deskOf(t);
  const helper = await writeFakeHelper({ name: 'broken', stdout: 'it is locked', exitCode: 1 });
  t.after(() => helper.remove());
  await mkdir(`${desk.environment['DOCKER_CONFIG']}`, { recursive: true });
  await writeFile(
    `${desk.environment['DOCKER_CONFIG']}/config.json`,
    '{"credHelpers": {"r.example": "broken"}}',
  );
  await desk.write('auth.json', loginsTo(registry));
  const rules = ['a', 'b', 'c'].map((name) => [
    `r.example/team/${name}:v1`,
    `${registry.host}/moved/${name}`,
  ]);
  await desk.write('images.json', JSON.stringify(Object.fromEntries(rules)));

  const finished = await desk.run(['auth', 'check', '-o', 'json'], {
    environment: helper.environment,
  });

  const { checks } = checked(finished);
  assert.equal(finished.code, 1);
  assert.deepEqual(checks[0], {
    ...{ registry: 'r.example', repository: 'team/a', right: 'pull', status: 'failed' },
    error: {
      code: 'UNAUTHORIZED',
      message: 'docker-credential-broken failed for r.example: it is locked',
      hint: checks[0]?.error?.hint,
    },
  });
  assert.deepEqual(
    checks.map(({ status }) => status),
    ['failed', 'ok'],
  );
  assert.equal((await helper.asked()).length, 1);
});

test('Without images.json every entry of auth.json logs in, and nothing else is asked', async (t) => {
  const registry = await started(t, startRegistry({ auth: 'token' }));
  const open = await started(t, startRegistry());
  const desk = await deskOf(t);
  await desk.write(
    'auth.json',
    JSON.stringify({
      [registry.host]: entry(PUSHER),
      [`${registry.host}/team`]: entry(PUSHER),
      [`${registry.host}/wrong`]: { username: PUSHER.username, password: 'wr0ng', insecure: true },
      [open.host]: { insecure: true },
    }),
  );

  const text = await desk.run(['auth', 'check']);
  const json = await desk.run(['auth', 'check', '-o', 'json']);

  assert.deepEqual([text.code, json.code], [1, 1]);
  assert.deepEqual(
    checked(json).checks.map(({ registry: host, repository, right, status }) => [
      ...[host, repository],
      ...[right, status],
    ]),
    [
      [registry.host, '', 'login', 'ok'],
      [registry.host, 'team', 'login', 'ok'],
      [registry.host, 'wrong', 'login', 'failed'],
      [open.host, '', 'login', 'ok'],
    ],
  );
  assert.match(text.stdout, new RegExp(`^ok {6}login  anonymous {4}${open.host}$`, 'm'));
  assert.deepEqual(
    [...new Set([...registry.log.records, ...open.log.records].map((record) => record.class))],
    ['ping', 'token'],
  );
});

test('Rules are read as by a copy: defaults, standard input, and what cannot be used', async (t) => {
  const registry = await started(t, startRegistry());
  const desk = await deskOf(t);
  await desk.write('auth.json', loginsTo(registry));
  const { host } = registry;
  const flags = ['--registry', host, '--namespace', 'moved', '--default-source-registry', host];
  const parameters = ['auth', 'check', '--images', '-', ...flags];
  const input = '{"app:v1": "",\n "broken:v1": "r.example/Team/app"}';

  const finished = await desk.run([...parameters, '--default-source-namespace', 'team'], { input });

  assert.equal(finished.code, 1);
  assert.match(finished.stdout, new RegExp(`^ok {6}pull   anonymous  ${host}/team/app$`, 'm'));
  assert.match(finished.stdout, new RegExp(`^ok {6}push   anonymous  ${host}/moved/app$`, 'm'));
  assert.match(finished.stderr, /^standard input:2:2: "broken:v1" -> "r\.example\/Team\/app": /);
  assert.equal(linesOf(finished.stderr).length, 1);
  assertForPeople(finished);
});

test('A check that cannot begin is exit 2', async (t) => {
  const desk = await deskOf(t);

  const nothing = await desk.run(['auth', 'check']);
  const missing = await desk.run(['auth', 'check', '--images', 'none.json']);
  const unnamed = await desk.run(['auth', 'check', '--auth', 'none.json']);
  await desk.write('images.json', '[]');
  const noMap = await desk.run(['auth', 'check']);
  const noHost = await desk.run(['auth', 'check', '--registry', 'not a host']);

  assertRefused(nothing, /there is nothing to check/, /--images and --auth/);
  assertRefused(missing, /cannot read none\.json: no such file/);
  assertRefused(unnamed, /cannot read none\.json: no such file/);
  assertRefused(noMap, /images\.json:1:1: expected a map/);
  assertRefused(noHost, /--registry: "not a host" is not a host/);
});

test('A map without rules is checked in no time', async (t) => {
  const desk = await deskOf(t);
  await desk.write('images.json', '{}');

  const { code, stdout } = await desk.run(['auth', 'check']);

  assert.equal(code, 0);
  assert.match(stdout, /\n0 checks, 0 failed\n$/);
});

for (const [where, request] of [
  ['at the door', { class: 'ping' }],
  ['at an upload', { class: 'upload', method: 'POST' }],
] as const)
  test(`Ctrl-C ends a check that hangs ${where}`, { timeout: 40_000 }, async (t) => {
    const registry = await started(t, startRegistry());
    const desk = await deskOf(t);
    const hanging = { ...request, wait: new Promise(() => undefined) };
    registry.faults.add(hanging);
    await desk.write('auth.json', loginsTo(registry));
    await desk.write(
      'images.json',
      JSON.stringify({ [`${registry.host}/a/b:v1`]: `${registry.host}/c/d` }),
    );
    const { child, ended } = desk.start(['auth', 'check']);
    await eventually(() => registry.faults.applied(hanging) > 0);

    child.kill('SIGINT');

    const { code, stdout, stderr } = await ended;
    assert.deepEqual([code, stdout, stderr], [130, '', 'interrupted\n']);
  });
