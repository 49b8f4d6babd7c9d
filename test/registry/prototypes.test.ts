import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import fc from 'fast-check';
import { entryFor, parseAuthFile } from '../../src/registry/auth-file.ts';
import { openAuthFile, sealAuthFile } from '../../src/registry/auth-seal.ts';
import { containersAuth } from '../../src/registry/containers-auth.ts';
import type { CredentialSource } from '../../src/registry/credentials.ts';
import { type AskHelper, dockerConfig } from '../../src/registry/docker-config.ts';

const APP = { registry: 'r.example', repository: 'team/app' };
const KEY = Buffer.alloc(32, 'k');
// What every object has of its prototype, or could do to it.
const NAMES = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty'] as const;
const LOGIN = { username: 'a', password: 'b', auth: Buffer.from('a:b').toString('base64') };

const read = (text: string, environment: NodeJS.ProcessEnv = {}) =>
  parseAuthFile(text, 'auth.json', { environment, sealKey: undefined });

/** The prototype of all objects, as it was before anything was read. */
const CLEAN = Object.getOwnPropertyNames(Object.prototype).sort();
afterEach(() => {
  assert.deepEqual(Object.getOwnPropertyNames(Object.prototype).sort(), CLEAN);
});

describe('In auth.json', () => {
  for (const name of NAMES) {
    test(`"${name}" is a registry like others`, () => {
      const text = `{"${name}": {"username": "a", "password": "b"}}`;

      const file = read(text);

      assert.equal(entryFor(file, APP), undefined);
      assert.equal(
        entryFor(file, { registry: name, repository: 'app' })?.credential?.kind,
        'password',
      );
      assert.equal(openAuthFile(sealAuthFile(text, 'f', KEY).text, 'f', KEY).text, text);
    });

    test(`"${name}" is a registry like others in YAML too`, () => {
      const file = read(`${name}:\n  username: a\n  password: b\n`);

      assert.deepEqual([...file.keys()], [name]);
      assert.equal(entryFor(file, APP), undefined);
    });

    test(`"${name}" is no field`, () => {
      assert.throws(() => read(`{"r.example": {"${name}": {"insecure": true}}}`), {
        message: `auth.json:1:16: "${name}" of "r.example" is not known; known are username, password, identityToken, accessKey, secretKey, ca, cert, key, insecure`,
      });
    });

    test(`"${name}" is no variable of the environment unless somebody sets it`, () => {
      for (const environment of [{}, process.env])
        for (const reference of [`$${name}`, `\${${name}}`])
          assert.throws(
            () => read(`{"r.example": {"username": "a", "password": "${reference}"}}`, environment),
            { message: /names the environment variable \w+, which is not set$/ },
          );
    });
  }
});

for (const [what, sourceOf] of [
  [
    "docker's config.json",
    (folder: string, ask: AskHelper) => dockerConfig({ DOCKER_CONFIG: folder }, ask),
  ],
  [
    "containers' auth.json",
    (folder: string, ask: AskHelper) =>
      containersAuth({ REGISTRY_AUTH_FILE: join(folder, 'config.json') }, ask),
  ],
] as const)
  describe(`In ${what}`, () => {
    let folder: string;
    beforeEach(async () => {
      folder = await mkdtemp(join(tmpdir(), 'prototypes-'));
    });
    afterEach(() => rm(folder, { recursive: true, force: true }));

    const asked: string[] = [];
    const ask: AskHelper = async (helper) => {
      asked.push(helper);
      return undefined;
    };
    const sourceWith = async (text: string): Promise<CredentialSource> => {
      asked.length = 0;
      await writeFile(join(folder, 'config.json'), text);
      return sourceOf(folder, ask);
    };

    for (const name of NAMES) {
      test(`"${name}" is a registry like others`, async () => {
        const text = `{"auths": {"${name}": ${JSON.stringify(LOGIN)}}, "credHelpers": {"${name}": "h"}}`;
        const source = await sourceWith(text);

        const others = await source(APP);
        const askedForOthers = [...asked];
        const own = await source({ registry: name, repository: 'app' });

        assert.deepEqual([others, askedForOthers], [undefined, []]);
        assert.equal(own?.credential?.kind, 'password');
        assert.deepEqual(asked, ['h']);
      });

      test(`"${name}" of an entry, or of the file, is no login`, async () => {
        const inner = `{"${name}": ${JSON.stringify(LOGIN)}}`;
        const outer = `{"auths": ${JSON.stringify({ 'r.example': LOGIN })}, "credsStore": "h"}`;
        const entry = await sourceWith(`{"auths": {"r.example": ${inner}}}`);
        const file = await sourceWith(`{"${name}": ${outer}}`);

        const logins = [await entry(APP), await file(APP)];

        assert.deepEqual(logins, [undefined, undefined]);
        assert.deepEqual(asked, []);
      });
    }

    test('no key at any depth reaches a prototype', async () => {
      const key = fc.constantFrom(
        ...NAMES,
        'auths',
        'credHelpers',
        'auth',
        'username',
        'x.example',
      );
      const { tree } = fc.letrec((tie) => ({
        tree: fc.oneof(
          { maxDepth: 4 },
          fc.constantFrom('"a"', '1', 'null', 'true'),
          fc
            .array(fc.tuple(key, tie('tree')), { maxLength: 3 })
            .map((pairs) => `{${pairs.map(([name, value]) => `"${name}":${value}`).join(',')}}`),
        ),
      }));
      await fc.assert(
        fc.asyncProperty(tree, async (text) => {
          const source = await sourceWith(String(text));

          assert.equal(await source(APP), undefined);
          assert.deepEqual(Object.getOwnPropertyNames(Object.prototype).sort(), CLEAN);
        }),
        { numRuns: 100 },
      );
    });
  });
