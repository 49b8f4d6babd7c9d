import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { InvalidReferenceError } from '../../src/oci/errors.ts';
import {
  canonicalRegistry,
  formatName,
  formatReference,
  parseReference,
  splitReference,
  withDefaultTag,
} from '../../src/oci/reference.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;
const LONG_DIGEST = `sha512:${'0'.repeat(128)}`;

// What github.com/distribution/reference v0.6.0 makes of the same texts.
const READ: readonly (readonly [string, string])[] = [
  ['nginx', 'docker.io/library/nginx'],
  ['nginx:1.27', 'docker.io/library/nginx:1.27'],
  [`nginx@${DIGEST}`, `docker.io/library/nginx@${DIGEST}`],
  [`nginx:1.27@${DIGEST}`, `docker.io/library/nginx:1.27@${DIGEST}`],
  [`nginx@${LONG_DIGEST}`, `docker.io/library/nginx@${LONG_DIGEST}`],
  ['bitnami/redis', 'docker.io/bitnami/redis'],
  ['a/b/c/d:e', 'docker.io/a/b/c/d:e'],
  ['docker.io/nginx', 'docker.io/library/nginx'],
  ['docker.io/library/nginx', 'docker.io/library/nginx'],
  ['index.docker.io/nginx', 'docker.io/library/nginx'],
  ['index.docker.io/library/nginx:1', 'docker.io/library/nginx:1'],
  ['gcr.io/app', 'gcr.io/app'],
  ['gcr.io/team/app:v1', 'gcr.io/team/app:v1'],
  ['localhost/app', 'localhost/app'],
  ['localhost:5000/app', 'localhost:5000/app'],
  ['localhost', 'docker.io/library/localhost'],
  ['localhost:5000', 'docker.io/library/localhost:5000'],
  ['registry.example.com', 'docker.io/library/registry.example.com'],
  ['registry:5000/app:1', 'registry:5000/app:1'],
  ['REGISTRY/app', 'REGISTRY/app'],
  // Unlike docker: one host in two spellings would be two destinations.
  ['Registry.Example.com/app', 'registry.example.com/app'],
  ['Docker.IO/app', 'docker.io/library/app'],
  ['127.0.0.1:5000/team/app', '127.0.0.1:5000/team/app'],
  ['[::1]/app', '[::1]/app'],
  ['[2001:db8::1]:5000/team/app:v1', '[2001:db8::1]:5000/team/app:v1'],
  ['xn--n3h.com/app', 'xn--n3h.com/app'],
  ['a_b/c__d/e.f/g-h/i---j', 'docker.io/a_b/c__d/e.f/g-h/i---j'],
  ['0/0:0', 'docker.io/0/0:0'],
  ['app:_x', 'docker.io/library/app:_x'],
  [`app:${'T'.repeat(128)}`, `docker.io/library/app:${'T'.repeat(128)}`],
  [`gcr.io/${'a'.repeat(255)}`, `gcr.io/${'a'.repeat(255)}`],
  [`a/${'f'.repeat(64)}`, `docker.io/a/${'f'.repeat(64)}`],
];

const REFUSED: readonly (readonly [string, RegExp])[] = [
  ['', /it names no repository/],
  [':1', /it names no repository/],
  [`@${DIGEST}`, /it names no repository/],
  ['gcr.io/', /it names no repository/],
  ['Nginx', /"library\/Nginx" must be lower case/],
  ['gcr.io/Team/app', /"Team\/app" must be lower case/],
  ['app:', /"" is not a tag/],
  ['app:.1', /".1" is not a tag/],
  ['app:-1', /"-1" is not a tag/],
  ['app:a b', /"a b" is not a tag/],
  ['app:1:2', /"1:2" is not a tag/],
  [`app:${'T'.repeat(129)}`, /is not a tag/],
  ['app@', /"" is not a digest/],
  ['app@sha256:abc', /"sha256:abc" is not a digest/],
  [`app@sha256:${'A'.repeat(64)}`, /is not a digest/],
  [`app@md5:${'0'.repeat(32)}`, /is not a digest/],
  [`app@${DIGEST}@${DIGEST}`, /is not a digest/],
  [`app@${DIGEST}:1`, /is not a digest/],
  ['/app', /may hold lower-case letters/],
  ['app/', /may hold lower-case letters/],
  ['a//b', /may hold lower-case letters/],
  ['gcr.io//app', /may hold lower-case letters/],
  ['-app', /may hold lower-case letters/],
  ['app-', /may hold lower-case letters/],
  ['a..b', /may hold lower-case letters/],
  ['a___b/c', /may hold lower-case letters/],
  ['a._b', /may hold lower-case letters/],
  ['ap p', /may hold lower-case letters/],
  ['äpp', /may hold lower-case letters/],
  ['app\n', /may hold lower-case letters/],
  ['my_host:5000/app', /"my_host:5000" is not a host/],
  ['-host.com/app', /"-host.com" is not a host/],
  ['host-.com/app', /"host-.com" is not a host/],
  ['host..com/app', /"host..com" is not a host/],
  ['host:/app', /"host:" is not a host/],
  ['host:port/app', /"host:port" is not a host/],
  ['host:123456/app', /"host:123456" is not a host/],
  ['host:65536/app', /"host:65536" is not a host/],
  ['[::1/app', /is not a host/],
  ['[fe80::1%25eth0]:5000/app', /is not a host/],
  ['https://gcr.io/app', /"https:" is not a host/],
  [`gcr.io/${'a'.repeat(256)}`, /longer than 255 characters/],
  ['a'.repeat(64), /the identifier of an image, not its name/],
];

describe('A reference', () => {
  for (const [text, expected] of READ)
    test(`"${text.slice(0, 60)}" is read as docker reads it`, () => {
      assert.equal(formatReference(parseReference(text)), expected);
    });

  for (const [text, reason] of REFUSED)
    test(`${JSON.stringify(text.slice(0, 60))} is refused`, () => {
      assert.throws(
        () => parseReference(text),
        (error) =>
          error instanceof InvalidReferenceError &&
          reason.test(error.message) &&
          error.text === text,
      );
    });

  test('has only the parts that it is written with', () => {
    assert.deepEqual(parseReference('nginx'), {
      registry: 'docker.io',
      repository: 'library/nginx',
    });
    assert.deepEqual(parseReference(`gcr.io/a/b:1@${DIGEST}`), {
      ...{ registry: 'gcr.io', repository: 'a/b', tag: '1', digest: DIGEST },
    });
  });

  test('without tag and digest means latest, for those who ask', () => {
    const defaulted = (text: string) => formatReference(withDefaultTag(parseReference(text)));

    assert.equal(defaulted('nginx'), 'docker.io/library/nginx:latest');
    assert.equal(defaulted('nginx:1'), 'docker.io/library/nginx:1');
    assert.equal(defaulted(`nginx@${DIGEST}`), `docker.io/library/nginx@${DIGEST}`);
  });
});

test('All names of Docker Hub are one, and no other name is', () => {
  const names = ['docker.io', 'index.docker.io', 'registry-1.docker.io', 'registry.hub.docker.com'];

  assert.deepEqual(
    names.map((name) => formatName(parseReference(`${name}/nginx`))),
    Array(4).fill('docker.io/library/nginx'),
  );
  for (const name of ['hub.docker.com', 'docker.io:443', 'evil-docker.io', 'docker.io.evil.com'])
    assert.equal(canonicalRegistry(name), name);
});

describe('Whatever the text is', () => {
  const label = fc.stringMatching(/^[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,6}[a-zA-Z0-9])?$/);
  const host = fc.oneof(
    fc.array(label, { minLength: 2, maxLength: 4 }).map((labels) => labels.join('.')),
    fc.constantFrom('localhost', 'docker.io', '[::1]', '[2001:db8::a]', '127.0.0.1'),
  );
  const port = fc.option(fc.integer({ min: 1, max: 65_535 }), { nil: undefined });
  const segment = fc.stringMatching(/^[a-z0-9]{1,5}(?:(?:\.|_|__|-{1,3})[a-z0-9]{1,5}){0,2}$/);
  const path = fc.array(segment, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'));
  const tag = fc.option(fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}$/), {
    nil: undefined,
  });
  const digest = fc.option(fc.stringMatching(/^sha256:[0-9a-f]{64}$/), { nil: undefined });
  const reference = fc
    .tuple(host, port, path, tag, digest)
    .map(([name, number, below, version, proof]) => ({
      parts: { host: number === undefined ? name : `${name}:${number}`, path: below },
      text: [
        ...[name, number === undefined ? '' : `:${number}`, '/', below],
        ...[version === undefined ? '' : `:${version}`, proof === undefined ? '' : `@${proof}`],
      ].join(''),
    }));

  test('a good one is cut where its parts meet', () => {
    fc.assert(
      fc.property(reference, ({ parts, text }) => {
        const { host: found, path: below } = splitReference(text);

        assert.deepEqual({ host: found, path: below }, parts);
      }),
    );
  });

  test('what was formatted is parsed to the same', () => {
    fc.assert(
      fc.property(reference, ({ text }) => {
        const parsed = parseReference(text);

        assert.deepEqual(parseReference(formatReference(parsed)), parsed);
        if (!text.startsWith('docker.io'))
          assert.equal(formatReference(parsed).toLowerCase(), text.toLowerCase());
      }),
    );
  });

  test('rubbish is refused with an InvalidReferenceError and nothing else', () => {
    const part = fc.constantFrom(
      'a',
      'A',
      '.',
      ':',
      '/',
      '@',
      '-',
      '_',
      '[',
      ']',
      '::1',
      'sha256:',
      'docker.io',
      'é',
      '\u0000',
      ' ',
      '%',
    );
    const rubbish = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(part, { maxLength: 12 }).map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(rubbish, (text) => {
        try {
          const parsed = parseReference(text);
          assert.deepEqual(parseReference(formatReference(parsed)), parsed);
        } catch (error) {
          assert.ok(error instanceof InvalidReferenceError, String(error));
        }
      }),
      { numRuns: 2000 },
    );
  });

  test('a very long one is refused without ado', () => {
    for (const piece of ['a', 'a-', 'a.', '-', 'a/', 'a:', '__a', '[', '@'])
      assert.throws(() => parseReference(`${piece.repeat(100_000)}!`), InvalidReferenceError);
  });
});
