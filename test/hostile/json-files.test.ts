import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { loadAccess } from '../../src/cluster/kubeconfig-files.ts';
import { parseRules } from '../../src/copy/rules.ts';
import { parseAuthFile } from '../../src/registry/auth-file.ts';
import { sealAuthFile } from '../../src/registry/auth-seal.ts';
import { dockerConfig } from '../../src/registry/docker-config.ts';
import { failureOf } from '../registry/opening.ts';

const DEEP = 10_000;
const LISTS = `${'['.repeat(DEEP)}${']'.repeat(DEEP)}`;
const MAPS = `${'{"a":'.repeat(DEEP)}1${'}'.repeat(DEEP)}`;
const DEFAULTS = {
  sourceRegistry: 'docker.io',
  sourceNamespace: 'library',
  registry: undefined,
  namespace: undefined,
};
const APP = { registry: 'r.example', repository: 'team/app' };
const OPEN = { environment: {}, sealKey: undefined };

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'json-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** The prototype of all objects, as it was before anything was read. */
const CLEAN = Object.getOwnPropertyNames(Object.prototype).sort();
afterEach(() => {
  assert.deepEqual(Object.getOwnPropertyNames(Object.prototype).sort(), CLEAN);
});

describe('auth.json', () => {
  for (const text of [
    LISTS,
    MAPS,
    `{"r.example": ${MAPS}}`,
    `{"r.example": {"password": ${LISTS}}}`,
  ])
    for (const file of ['auth.json', 'auth.yaml'])
      test(`that is ${text.slice(0, 40)} is refused (${file})`, () => {
        assert.throws(() => parseAuthFile(text, file, OPEN), { name: 'DocumentError' });
      });

  test('means the last of repeated fields, and seals all of them', () => {
    const text = '{"r.example": {"username": "u", "password": "old-1", "password": "new-2"}}';

    const login = parseAuthFile(text, 'auth.json', OPEN).get('r.example')?.credential;
    const sealed = sealAuthFile(text, 'auth.json', Buffer.alloc(32)).text;

    assert.deepEqual(login, { kind: 'password', username: 'u', password: 'new-2' });
    assert.doesNotMatch(sealed, /old-1|new-2|"u"/);
  });
});

describe("docker's config.json", () => {
  const loginIn = async (text: string) => {
    await writeFile(join(folder, 'config.json'), text);
    return dockerConfig({ DOCKER_CONFIG: folder }, async () => undefined)(APP);
  };
  const auth = (login: string) => `{"auth": "${Buffer.from(login).toString('base64')}"}`;

  test('may be deep where nobody looks', async () => {
    const login = await loginIn(`{"x": ${MAPS}, "auths": {"r.example": ${auth('a:b')}}}`);

    assert.deepEqual(login?.credential, { kind: 'password', username: 'a', password: 'b' });
  });

  test('means the last of repeated keys', async () => {
    const login = await loginIn(
      `{"auths": {"r.example": ${auth('a:b')}, "r.example": ${auth('c:d')}}}`,
    );

    assert.deepEqual(login?.credential, { kind: 'password', username: 'c', password: 'd' });
  });

  for (const text of [
    LISTS,
    `{"auths": ${LISTS}}`,
    `{"auths": {"r.example": ${MAPS}}}`,
    `{"auths": {"r.example": {"auth": ${LISTS}, "username": ${MAPS}}}}`,
    `{"credHelpers": {"r.example": ${MAPS}}, "credsStore": ${LISTS}}`,
  ])
    test(`that is ${text.slice(0, 50)} holds no login`, async () => {
      assert.equal(await loginIn(text), undefined);
    });
});

describe('images.json', () => {
  for (const text of [LISTS, MAPS, `{"a/b:1": ${LISTS}}`, `{"a/b:1": ${MAPS}}`])
    for (const file of ['images.json', 'images.yaml'])
      test(`that is ${text.slice(0, 40)} is refused, or its rule is (${file})`, () => {
        try {
          const { rules, failures } = parseRules(text, file, DEFAULTS);
          assert.deepEqual([rules.length, failures.length], [0, 1]);
        } catch (error) {
          assert.equal((error as Error).name, 'DocumentError');
        }
      });

  test('knows no magic keys', () => {
    const text = '{"__proto__": "r.example/a/b", "constructor": "r.example/c/d", "x/toString": {}}';

    const { rules, failures } = parseRules(text, 'images.json', DEFAULTS);

    assert.deepEqual(
      rules.map(({ source }) => source.name.repository),
      ['library/constructor'],
    );
    assert.deepEqual(
      failures.map(({ place }) => place.source),
      ['__proto__', 'x/toString'],
    );
  });
});

describe('A kubeconfig', () => {
  const load = async (text: string) => {
    const kubeconfig = join(folder, 'config');
    await writeFile(kubeconfig, text);
    return loadAccess({ kubeconfig, environment: {} });
  };

  for (const text of [LISTS, MAPS, `{"clusters": ${LISTS}}`, 'a: '.concat('['.repeat(DEEP))])
    test(`that is ${text.slice(0, 40)} is refused`, async () => {
      assert.equal((await failureOf(load(text))).name, 'ClusterError');
    });

  test('knows no magic names', async () => {
    const text = JSON.stringify({
      'current-context': 'constructor',
      contexts: [{ name: 'constructor', context: { cluster: '__proto__', user: 'toString' } }],
      clusters: [{ name: 'x', cluster: { server: 'https://x.example' } }],
    });

    const failure = await failureOf(load(text));

    assert.match(failure.message, /the cluster "__proto__" does not exist/);
  });

  test('is not what stands in a prototype', async () => {
    const inner = '{"clusters": [{"name": "a", "cluster": {"server": "https://x.example"}}]}';

    const failure = await failureOf(load(`{"__proto__": ${inner}, "current-context": "a"}`));

    assert.equal(failure.name, 'ClusterError');
  });
});
