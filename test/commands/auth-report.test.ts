import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { attemptsFor, type Need, needsOf, needsOfKeys } from '../../src/commands/auth/needs.ts';
import { formatReport, type LoginCheck, reportOf } from '../../src/commands/auth/report.ts';
import { parseRules } from '../../src/copy/rules.ts';
import type { Login } from '../../src/registry/credentials.ts';

const DEFAULTS = { sourceRegistry: 'docker.io', sourceNamespace: 'library' };
const needsIn = (rules: object) =>
  needsOf(parseRules(JSON.stringify(rules), 'images.json', DEFAULTS).rules);
const shown = ({ name, right, version }: Need) => [
  right,
  `${name.registry}/${name.repository}`,
  version,
];

describe('What a run needs', () => {
  test('is to pull every source and to push to every destination', () => {
    const digest = `sha256:${'a'.repeat(64)}`;

    const needs = needsIn({
      'nginx:1.27,1.28': ['d.example/a/nginx', 'e.example/b/nginx'],
      [`s.example/team/app@${digest}`]: 'd.example/a/app:v1',
      's.example/team/all': 'd.example/a/all',
      's.example/team/some:/v.*/': 'd.example/a/some',
    });

    assert.deepEqual(needs.map(shown), [
      ['pull', 'docker.io/library/nginx', '1.27'],
      ['pull', 'docker.io/library/nginx', '1.27'],
      ['pull', 's.example/team/app', digest],
      ['pull', 's.example/team/all', undefined],
      ['pull', 's.example/team/some', undefined],
      ['push', 'd.example/a/nginx', undefined],
      ['push', 'e.example/b/nginx', undefined],
      ['push', 'd.example/a/app', undefined],
      ['push', 'd.example/a/all', undefined],
      ['push', 'd.example/a/some', undefined],
    ]);
  });

  test('of an auth.json is to log in with each of its entries', () => {
    assert.deepEqual(needsOfKeys(['docker.io', 'r.example:5000/a/b']).map(shown), [
      ['login', 'docker.io/', undefined],
      ['login', 'r.example:5000/a/b', undefined],
    ]);
  });

  const need = (registry: string, repository: string, right: Need['right'] = 'pull'): Need => ({
    name: { registry, repository },
    right,
  });
  const login = (password: string, origin = 'auth.json'): Login => ({
    origin,
    credential: { kind: 'password', username: 'a', password },
  });

  test('is tried once for each login, right and way to speak to a registry', async () => {
    const logins: Readonly<Record<string, Login>> = {
      a: login('x'),
      b: login('x'),
      c: login('y'),
      d: login('x', 'config.json'),
      e: { origin: 'anonymous' },
      f: login('x'),
    };
    const needs = [...Object.keys(logins), 'a'].map((path) => need('r.example', path));
    const others = [need('r.example', 'a', 'push'), need('s.example', 'a')];

    const attempts = await attemptsFor([...needs, ...others], {
      loginFor: async ({ repository }) => logins[repository] ?? { origin: 'anonymous' },
      settingsFor: ({ repository }) => (repository === 'f' ? { insecure: true } : {}),
    });

    assert.deepEqual(
      attempts.map(({ need: { name, right } }) => `${right} ${name.registry}/${name.repository}`),
      [
        ...['pull r.example/a', 'pull r.example/c', 'pull r.example/d', 'pull r.example/e'],
        ...['pull r.example/f', 'push r.example/a', 'pull s.example/a'],
      ],
    );
  });

  test('is refused where a key of auth.json is no host, before any login is looked for', async () => {
    const keys = ['', 'my registry', 'a@b.example', 'r.example?x', 'r.example:99999/team'];

    const attempts = await attemptsFor(needsOfKeys(keys), {
      loginFor: async () => assert.fail('nobody should be asked'),
      settingsFor: () => ({}),
    });

    assert.equal(attempts.length, keys.length);
    for (const { login: held } of attempts)
      assert.match('failure' in held ? String(held.failure) : '', /is not a host$/);
  });

  test('is told once where no login can be had', async () => {
    const attempts = await attemptsFor([need('r', 'a'), need('r', 'b'), need('s', 'a')], {
      loginFor: async ({ registry }) => {
        throw new Error(`no helper for ${registry}`);
      },
      settingsFor: () => ({}),
    });

    assert.deepEqual(
      attempts.map(({ login: held }) => 'failure' in held && String(held.failure)),
      ['Error: no helper for r', 'Error: no helper for s'],
    );
  });
});

describe('The report of a check', () => {
  const check = (more: Partial<LoginCheck>): LoginCheck => ({
    registry: 'r.example',
    repository: 'team/app',
    right: 'pull',
    origin: './auth.json',
    status: 'ok',
    ...more,
  });

  test('counts what failed', () => {
    const checks = [check({}), check({ status: 'failed' }), check({})];

    assert.deepEqual(reportOf(checks).summary, { checked: 3, failed: 1 });
  });

  test('is a table with what is to be said below each row, within 80 columns', () => {
    const message =
      'swr.eu-west-101.myhuaweicloud.eu answered 403 to POST /v2/team/app/blobs/uploads/ (DENIED: you have no right)';
    const text = formatReport(
      reportOf([
        check({ note: 'login works; the image is not there' }),
        check({
          registry: 'swr.eu-west-101.myhuaweicloud.eu',
          right: 'push',
          origin: '/home/alice/.docker/config.json',
          status: 'failed',
          error: { code: 'DENIED', message, hint: 'ask for the right' },
        }),
        check({ repository: '', right: 'login', origin: 'anonymous' }),
      ]),
      '/home/alice',
    );

    assert.equal(
      text,
      `RESULT  RIGHT  LOGIN                  REPOSITORY
ok      pull   ./auth.json            r.example/team/app
  login works; the image is not there
failed  push   ~/.docker/config.json  swr.eu-west-101.myhuaweicloud.eu/team/app
  swr.eu-west-101.myhuaweicloud.eu answered 403 to POST
  /v2/team/app/blobs/uploads/ (DENIED: you have no right) [DENIED]
  ask for the right
ok      login  anonymous              r.example
3 checks, 1 failed
`,
    );
  });

  test('says where nothing is known of a login', () => {
    const { origin: _, ...unknown } = check({ status: 'failed' });

    assert.match(
      formatReport(reportOf([unknown]), ''),
      /^failed {2}pull {3}<unknown> {2}r\.example\/team\/app\n1 check, 1 failed\n/m,
    );
  });

  test('breaks no word, however long it is', () => {
    const word = 'x'.repeat(100);

    const text = formatReport(reportOf([check({ note: `a ${word} b` })]), '');

    assert.match(text, new RegExp(`\\n {2}a\\n {2}${word}\\n {2}b\\n`));
  });
});
