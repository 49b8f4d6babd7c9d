// biome-ignore-all lint/suspicious/noTemplateCurlyInString: so auth.json names a variable
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { entryFor, loginsOf, parseAuthFile } from '../../src/registry/auth-file.ts';
import { swrLogin } from '../../src/registry/swr-login.ts';
import { DocumentError } from '../../src/text/errors.ts';

const NAME = { registry: 'r.example', repository: 'team/app' };

function read(
  text: string | object,
  environment: Readonly<Record<string, string | undefined>> = {},
  file = 'auth.json',
) {
  const written = typeof text === 'string' ? text : JSON.stringify(text);
  return parseAuthFile(written, file, { environment, sealKey: undefined });
}

function faultOf(text: string | object, environment = {}): DocumentError {
  try {
    read(text, environment);
  } catch (error) {
    assert.ok(error instanceof DocumentError);
    return error;
  }
  throw new Error('it should have failed');
}

describe('auth.json', () => {
  test('holds user names and passwords', () => {
    const entry = entryFor(read({ 'r.example': { username: 'alice', password: 'x:y' } }), NAME);

    assert.deepEqual(entry, {
      insecure: false,
      anonymous: false,
      credential: { kind: 'password', username: 'alice', password: 'x:y' },
    });
  });

  test('holds identity tokens, paths of PEM files, and how a registry is to be spoken to', () => {
    const entry = entryFor(
      read({
        'r.example': {
          identityToken: 'abc',
          insecure: true,
          ca: 'ca.pem',
          cert: './cert.pem',
          key: '/etc/key.pem',
        },
      }),
      NAME,
    );

    assert.deepEqual(entry, {
      insecure: true,
      anonymous: false,
      credential: { kind: 'identity-token', token: 'abc' },
      ca: 'ca.pem',
      cert: './cert.pem',
      key: '/etc/key.pem',
    });
  });

  test('may be JSON with comments, or YAML', () => {
    const commented = '// mine\n{"r.example": {"username": "a", "password": "b",},}';
    const yaml = 'r.example:\n  username: a\n  password: 0123\n  insecure: true\n';

    assert.equal(entryFor(read(commented), NAME)?.credential?.kind, 'password');
    assert.deepEqual(entryFor(read(yaml), NAME), {
      insecure: true,
      anonymous: false,
      credential: { kind: 'password', username: 'a', password: '0123' },
    });
  });

  test('prefers the longest key that is a prefix by whole path segments', () => {
    const of = (username: string) => ({ username, password: 'x' });
    const file = read({
      'r.example': of('host'),
      'r.example/team': of('team'),
      'r.example/team/app/deep': of('deep'),
      'r.example/tea': of('tea'),
      'r.example:5000': of('port'),
    });
    const who = (registry: string, repository: string) => {
      const credential = entryFor(file, { registry, repository })?.credential;
      return credential?.kind === 'password' ? credential.username : undefined;
    };

    assert.equal(who('r.example', 'team/app'), 'team');
    assert.equal(who('r.example', 'team/app/deep'), 'deep');
    assert.equal(who('r.example', 'team/app/deeper'), 'team');
    assert.equal(who('r.example', 'teams/app'), 'host');
    assert.equal(who('r.example', 'tea'), 'tea');
    assert.equal(who('r.example:5000', 'team/app'), 'port');
    assert.equal(who('r.example:5001', 'team/app'), undefined);
    assert.equal(who('x.r.example', 'team/app'), undefined);
  });

  for (const key of [
    'docker.io',
    'index.docker.io',
    'registry-1.docker.io',
    'registry.hub.docker.com',
    'https://index.docker.io/v1/',
    'https://registry-1.docker.io',
    'https://docker.io/',
  ])
    test(`knows Docker Hub as ${key}`, () => {
      const file = read({ [key]: { username: 'a', password: 'b' } });

      const entry = entryFor(file, { registry: 'docker.io', repository: 'library/nginx' });

      assert.equal(entry?.credential?.kind, 'password');
    });

  test('takes a namespace called v1 or v2 for a namespace', () => {
    const file = read({ 'r.example/v2': { username: 'a', password: 'b' } });

    assert.equal(entryFor(file, NAME), undefined);
    assert.ok(entryFor(file, { registry: 'r.example', repository: 'v2/app' }));
  });

  test('refuses a second entry for the same registry', () => {
    const fault = faultOf('{\n  "docker.io": {},\n  "index.docker.io": {}\n}');

    assert.match(fault.message, /^auth\.json:3:3: "index\.docker\.io" is a second entry/);
  });

  test('takes whole values from the environment', () => {
    const environment = { WHO: 'alice', SECRET_1: 'enc:v1:literal $X' };

    const entry = entryFor(
      read({ 'r.example': { username: '$WHO', password: '${SECRET_1}' } }, environment),
      NAME,
    );

    assert.deepEqual(entry?.credential, {
      kind: 'password',
      username: 'alice',
      password: 'enc:v1:literal $X',
    });
  });

  test('leaves any other dollar as it is', () => {
    for (const password of [
      '$',
      'a$WHO',
      '$WHO!',
      '${WHO',
      '$1',
      '$$WHO',
      '${WHO}${WHO}',
      '$ WHO',
    ]) {
      const entry = entryFor(
        read({ 'r.example': { username: 'robot$ci', password } }, { WHO: 'alice' }),
        NAME,
      );

      assert.deepEqual(entry?.credential, { kind: 'password', username: 'robot$ci', password });
    }
  });

  test('names the variable that is not set, and where', () => {
    const fault = faultOf('{"r.example": {"username": "alice",\n "password": "${NOT_SET}"}}');

    assert.match(
      fault.message,
      /^auth\.json:2:14: "password" of "r\.example".* NOT_SET,.* not set/,
    );
  });

  test('takes {} for anonymous, which ends the search', async () => {
    const logins = loginsOf(
      read({ 'r.example/team': {}, 'r.example': { username: 'a', password: 'b' } }),
      'auth.json',
    );

    const login = await logins(NAME);

    assert.deepEqual(login, { origin: 'auth.json' });
    assert.equal(await logins({ registry: 'other.example', repository: 'a' }), undefined);
  });

  test('leaves the login to others where an entry only says how to speak to a registry', async () => {
    const file = read({
      'r.example': { insecure: true },
      'r.example/nobody': { username: '', password: '' },
    });
    const logins = loginsOf(file, 'auth.json');

    assert.equal(await logins(NAME), undefined);
    assert.equal(entryFor(file, NAME)?.insecure, true);
    assert.deepEqual(await logins({ registry: 'r.example', repository: 'nobody/app' }), {
      origin: 'auth.json',
    });
  });

  test('takes numbers for texts, as they are written', () => {
    const entry = entryFor(read('{"r.example": {"username": 12, "password": 1e3}}'), NAME);

    assert.deepEqual(entry?.credential, { kind: 'password', username: '12', password: '1e3' });
  });

  test('says what is wrong, and never what the secret is', () => {
    const secret = 'hunter2';
    const cases: readonly (readonly [string, RegExp])[] = [
      ['', /the file is empty; expected a map of registries to logins/],
      ['[]', /expected a map of registries to logins/],
      [`"${secret}"`, /expected a map/],
      [`{"r.example": "${secret}"}`, /the entry of "r\.example" must be a map/],
      [
        `{"r.example": {"pasword": "${secret}"}}`,
        /"pasword" of "r\.example" is not known; known are username/,
      ],
      [`{"r.example": {"password": "${secret}"}}`, /"r\.example" has a password but no username/],
      [`{"r.example": {"username": "${secret}"}}`, /"r\.example" has a username but no password/],
      [`{"r.example": {"password": ["${secret}"]}}`, /"password" of "r\.example" must be a text/],
      [
        `{"r.example": {"insecure": "${secret}"}}`,
        /"insecure" of "r\.example" must be true or false/,
      ],
      [`{"r.example": {"username": "a", "password": "${secret}}}`, /broken JSON/],
      [`{"r.example": {"username": ${secret}}}`, /broken JSON/],
      [`r.example:\n  password: "${secret}\n`, /broken YAML/],
      [`r.example: {password: ${secret}\nx`, /broken YAML/],
      [`r.example:\n  password: &x ${secret}\n  username: *x\n`, /aliases/],
      [`{"r.example": {"accessKey": "a", "secretKey": "${secret}"}}`, /needs a host such as swr\./],
      [`{"r.example": {"secretKey": "${secret}"}}`, /has a secretKey but no accessKey/],
    ];
    for (const [text, expected] of cases) {
      const { message } = faultOf(text);

      assert.match(message, expected);
      assert.doesNotMatch(message, /hunter2/);
    }
  });
});

describe('a login of SWR', () => {
  const KEYS = { accessKey: 'key', secretKey: 'The quick brown fox jumps over the lazy dog' };

  test('is computed from an access key and its secret key', () => {
    const file = read({ 'swr.cn-north-4.myhuaweicloud.com': KEYS });

    const entry = entryFor(file, {
      registry: 'swr.cn-north-4.myhuaweicloud.com',
      repository: 'team/app',
    });

    assert.equal(entry?.credential?.kind, 'password');
    assert.equal(
      entry?.credential?.kind === 'password' && entry.credential.username,
      'cn-north-4@key',
    );
  });

  test('is the HMAC that others compute', () => {
    // RFC 4231, test case 2: the key is "Jefe", the data "what do ya want for nothing?".
    const login = swrLogin('swr.eu.example', 'what do ya want for nothing?', 'Jefe');

    assert.deepEqual(login, {
      kind: 'password',
      username: 'eu@what do ya want for nothing?',
      password: '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
    });
  });

  test('works for a namespace too', () => {
    const file = read({ 'swr.eu-west-101.myhuaweicloud.eu/team': KEYS });

    const entry = entryFor(file, {
      registry: 'swr.eu-west-101.myhuaweicloud.eu',
      repository: 'team/app',
    });

    assert.equal(
      entry?.credential?.kind === 'password' && entry.credential.username,
      'eu-west-101@key',
    );
  });
});
