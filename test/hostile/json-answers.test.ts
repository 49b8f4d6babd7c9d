import assert from 'node:assert/strict';
import { afterEach, describe, type TestContext, test } from 'node:test';
import { linksOf } from '../../src/oci/manifest.ts';
import type { RegistryError } from '../../src/registry/errors.ts';
import { failureOf } from '../registry/opening.ts';
import { give, madeUp, served } from './contents.ts';
import { meet } from './stranger.ts';
import { visit } from './visit.ts';

const DEEP = 10_000;
const LISTS = `${'['.repeat(DEEP)}${']'.repeat(DEEP)}`;
const MAPS = `${'{"a":'.repeat(DEEP)}1${'}'.repeat(DEEP)}`;
const LAYER = JSON.stringify({ digest: madeUp(1), size: 1 });

/** The prototype of all objects, as it was before anything was read. */
const CLEAN = Object.getOwnPropertyNames(Object.prototype).sort();
afterEach(() => {
  assert.deepEqual(Object.getOwnPropertyNames(Object.prototype).sort(), CLEAN);
});

/** `team/app` of a registry whose every answer is this text. */
async function answering(context: TestContext, text: string, status = 200) {
  const registry = await meet(context, (_, response) => response.writeHead(status).end(text));
  return visit(context, registry.host);
}

describe('A manifest', () => {
  const linksIn = async (context: TestContext, text: string) => {
    const registry = await meet(context, (_, response) => give(response, served(text)));
    const manifest = await (await visit(context, registry.host)).fetchManifest('v1');
    assert.equal(`${manifest.bytes}`, text);
    return linksOf(manifest);
  };

  for (const [what, text, blobs] of [
    ['names nothing by way of a prototype', `{"__proto__":{"layers":[${LAYER}]}}`, 0],
    ['names nothing by way of a constructor', `{"constructor":{"layers":[${LAYER}]}}`, 0],
    ['means the last of repeated keys', `{"layers":[],"layers":[${LAYER}]}`, 1],
    ['may be deep where nobody looks', `{"annotations":${MAPS},"x":${LISTS}}`, 0],
  ] as const)
    test(what, async (context) => {
      const links = await linksIn(context, text);

      assert.equal(links.blobs.length, blobs);
      assert.equal(links.manifests.length, 0);
    });

  for (const text of [
    `{"layers":${MAPS}}`,
    `{"layers":${LISTS}}`,
    `{"config":${LISTS}}`,
    `{"config":{"__proto__":${LAYER}}}`,
    `{"layers":[{"__proto__":${LAYER}}]}`,
    '{"layers":[{"digest":{"toString":"x"},"size":1}]}',
    '{"manifests":"__proto__"}',
    'null',
    '[]',
    '1e999',
  ])
    test(`is refused where it is ${text.slice(0, 40)}`, async (context) => {
      const failure = await failureOf(linksIn(context, text));

      assert.equal(failure.name, 'InvalidManifestError');
      assert.ok(failure.message.length < 1_000);
    });
});

describe('A list of tags', () => {
  for (const [text, tags] of [
    ['{"__proto__":{"tags":["x"]}}', []],
    ['{"tags":{"__proto__":["x"],"length":1,"0":"x"}}', []],
    ['{"tags":["a"],"tags":["b"]}', ['b']],
    ['{"tags":["__proto__","constructor","toString"]}', ['__proto__', 'constructor', 'toString']],
    [`{"tags":["a",${LISTS},${MAPS},null,1,{"toString":"b"}]}`, ['a']],
    [`{"tags":${LISTS}}`, []],
    [LISTS, []],
    ['null', []],
    ['{', []],
  ] as const)
    test(`that is ${text.slice(0, 50)} holds ${tags.join(', ') || 'nothing'}`, async (context) => {
      const repository = await answering(context, text);

      assert.deepEqual(await Array.fromAsync(repository.listTags()), tags);
    });
});

describe('What is said with an error', () => {
  for (const [text, codes] of [
    ['{"__proto__":{"errors":[{"code":"DENIED"}]}}', []],
    ['{"errors":{"__proto__":[],"length":1,"0":{"code":"DENIED"}}}', []],
    ['{"errors":[{"__proto__":{"code":"DENIED"}}]}', []],
    ['{"errors":[{"code":"DENIED","message":{"toString":1}}]}', ['DENIED']],
    ['{"errors":[{"code":"DENIED","code":"TEAPOT"}]}', ['TEAPOT']],
    ['{"errors":[{"code":["DENIED"]},{"code":"__proto__"},null,7]}', []],
    [`{"errors":[${LISTS},{"code":"DENIED","detail":${LISTS}}]}`, ['DENIED']],
    [LISTS, []],
    [MAPS, []],
  ] as const)
    test(`is read of ${text.slice(0, 50)} as ${codes.join(', ') || 'nothing'}`, async (context) => {
      const repository = await answering(context, text, 403);

      const failure = (await failureOf(repository.fetchManifest('v1'))) as RegistryError;

      assert.deepEqual(failure.codes, codes);
      assert.doesNotMatch(failure.message, /\[object/);
    });
});

describe('The answer of a token service', () => {
  const loggingIn = async (context: TestContext, text: string) => {
    const service = await meet(context, (_, response) => response.end(text));
    const registry = await meet(context, (request, response) => {
      const challenge = `Bearer realm="${service.url}/token"`;
      if (request.headers.authorization === 'Bearer right') give(response, served('{}'));
      else response.writeHead(401, { 'www-authenticate': challenge }).end();
    });
    return (await visit(context, registry.host)).fetchManifest('v1');
  };

  for (const text of [
    '{"token":"wrong","token":"right"}',
    `{"x":${LISTS},"token":"right","y":${MAPS}}`,
    '{"token":"right","expires_in":-1}',
    '{"token":"right","expires_in":1e999}',
    '{"token":"right","expires_in":{"__proto__":1}}',
    '{"token":null,"access_token":"right","__proto__":{"token":"wrong"}}',
  ])
    test(`logs in by ${text.slice(0, 60)}`, async (context) => {
      assert.equal(`${(await loggingIn(context, text)).bytes}`, '{}');
    });

  for (const text of [
    '{"__proto__":{"token":"right"}}',
    '{"token":{"toString":"right"}}',
    '{"token":["right"]}',
    '{"token":"right\\r\\nx: y"}',
    '{"token":"r\\u00efght"}',
    LISTS,
    '"right"',
  ])
    test(`is no token where it is ${text.slice(0, 60)}`, async (context) => {
      const failure = await failureOf(loggingIn(context, text));

      assert.equal(failure.name, 'CredentialError');
      assert.match(failure.message, /answered without a token$/);
    });
});
