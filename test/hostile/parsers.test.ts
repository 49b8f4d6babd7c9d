import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import fc from 'fast-check';
import { stringify } from 'yaml';
import { ClusterError } from '../../src/cluster/errors.ts';
import { loadAccess } from '../../src/cluster/kubeconfig-files.ts';
import { InvalidRuleError } from '../../src/copy/errors.ts';
import { formatRules } from '../../src/copy/rule-file.ts';
import { parseRules } from '../../src/copy/rules.ts';
import { parseDigest } from '../../src/oci/digest.ts';
import { InvalidDigestError, InvalidManifestError } from '../../src/oci/errors.ts';
import { linksOf, mediaTypeOf } from '../../src/oci/manifest.ts';
import { formatReference } from '../../src/oci/reference.ts';
import { parseAuthFile } from '../../src/registry/auth-file.ts';
import { parseDocument, parseMap } from '../../src/text/document.ts';
import { DocumentError } from '../../src/text/errors.ts';
import { madeUp } from './contents.ts';
import { SECRET, soup } from './soup.ts';

const DEFAULTS = {
  sourceRegistry: 'docker.io',
  sourceNamespace: 'library',
  registry: undefined,
  namespace: undefined,
};
const RUNS = { numRuns: 1_000 };

/** What a parser throws, if it throws anything. */
function thrownBy(parse: () => unknown): Error | undefined {
  try {
    parse();
    return undefined;
  } catch (error) {
    return error as Error;
  }
}

describe('Whatever is written in it,', () => {
  test('a document is read, or refused with its place', () => {
    fc.assert(
      fc.property(soup(true), fc.constantFrom('x.json', 'x.yaml'), (text, file) => {
        const error = thrownBy(() => parseDocument(text, file));

        assert.ok(error === undefined || error instanceof DocumentError, error?.stack);
        assert.doesNotMatch(error?.message ?? '', /\n/);
      }),
      RUNS,
    );
  });

  test('images.json is read, or refused, or single rules of it are', () => {
    const map = fc
      .dictionary(fc.string({ unit: 'binary' }), fc.jsonValue({ maxDepth: 2 }))
      .map((value) => JSON.stringify(value));
    fc.assert(
      fc.property(fc.oneof(soup(true), map), (text) => {
        const error = thrownBy(() => {
          const { failures } = parseRules(text, 'images.json', DEFAULTS);
          for (const failure of failures) assert.ok(failure instanceof InvalidRuleError);
        });

        assert.ok(error === undefined || error instanceof DocumentError, error?.stack);
      }),
      RUNS,
    );
  });

  test('auth.json is read, or refused', () => {
    fc.assert(
      fc.property(soup(false), (text) => {
        const values = { environment: {}, sealKey: undefined };

        const error = thrownBy(() => parseAuthFile(`{${text}`, 'auth.json', values));

        assert.ok(error === undefined || error instanceof DocumentError, error?.stack);
      }),
      RUNS,
    );
  });

  test('broken JSON of auth.json is refused without what stands in it', () => {
    const good = JSON.stringify({ 'r.example': { username: SECRET, password: `${SECRET}"\\` } });
    const cut = fc.tuple(fc.nat(good.length), fc.nat(good.length), soup(true));
    fc.assert(
      fc.property(cut, ([start, length, instead]) => {
        const text = `{${good.slice(1, start)}${instead.replaceAll(SECRET, '')}${good.slice(start + length)}`;

        const error = thrownBy(() => parseDocument(text, 'auth.json'));

        assert.doesNotMatch(error?.message ?? '', new RegExp(SECRET));
      }),
      RUNS,
    );
  });

  test('a manifest is read, or refused', () => {
    const value = fc.letrec((tie) => ({
      part: fc.oneof(
        { maxDepth: 4 },
        fc.constantFrom(null, true, '', 'x', -1, 1, 1e308, madeUp(1), madeUp(2)),
        fc.array(tie('part'), { maxLength: 3 }),
        fc.dictionary(
          fc.constantFrom('layers', 'config', 'manifests', 'blobs', 'digest', 'size', 'urls'),
          tie('part'),
          { maxKeys: 4 },
        ),
      ),
    })).part;
    const text = fc.oneof(
      soup(false),
      value.map((part) => JSON.stringify(part)),
      fc.string(),
    );
    const contentType = fc.option(fc.string(), { nil: undefined });
    fc.assert(
      fc.property(text, contentType, (written, type) => {
        const bytes = Buffer.from(written);

        const error = thrownBy(() => {
          const mediaType = mediaTypeOf(bytes, type);
          const descriptor = { digest: madeUp(0), size: bytes.length, mediaType };
          const { manifests, blobs } = linksOf({ bytes, descriptor });
          for (const { size } of [...manifests, ...blobs])
            assert.ok(Number.isSafeInteger(size) && size >= 0);
        });

        assert.ok(error === undefined || error instanceof InvalidManifestError, error?.stack);
      }),
      RUNS,
    );
  });

  test('a digest is one, or refused', () => {
    const part = fc.constantFrom('sha256', 'sha512', ':', 'a'.repeat(64), 'A', '0'.repeat(128));
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(part).map((parts) => parts.join('')),
        ),
        (text) => {
          const error = thrownBy(() => assert.equal(parseDigest(text), text));

          assert.ok(error === undefined || error instanceof InvalidDigestError, error?.stack);
        },
      ),
      RUNS,
    );
  });
});

describe('What was written is read again:', () => {
  const component = fc.stringMatching(/^[a-z0-9]{1,6}(?:[._-][a-z0-9]{1,4}){0,2}$/);
  const path = fc.array(component, { minLength: 2, maxLength: 4 }).map((parts) => parts.join('/'));
  const tag = fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,12}$/);
  const registry = fc.constantFrom('r.example', 'localhost:5000', '[::1]:5000', 'docker.io');
  const reference = fc.record({ registry, repository: path, tag }).map(formatReference);

  test('rules', () => {
    const rule = fc.record({ source: reference, destination: reference });
    fc.assert(
      fc.property(fc.array(rule, { maxLength: 6 }), (written) => {
        const { rules, failures } = parseRules(formatRules(written), 'images.json', DEFAULTS);

        const pairs = (list: readonly { source: string; destination: string }[]) =>
          list.map(({ source, destination }) => `${source} ${destination}`).sort();
        assert.deepEqual(failures, []);
        assert.deepEqual(pairs(rules.map(({ place }) => place)), pairs(written));
        for (const { source, destination, place } of rules) {
          const [tags] = [source.selection.kind === 'tags' ? source.selection.tags : []];
          const [from] = tags;
          const [to] = destination.tags;
          assert.equal(
            formatReference({ ...source.name, ...(from && { tag: from }) }),
            place.source,
          );
          assert.equal(
            formatReference({ ...destination.name, ...(to && { tag: to }) }),
            place.destination,
          );
        }
      }),
    );
  });

  test('a map of any texts, as JSON and as YAML', () => {
    const texts = fc.string({ unit: 'grapheme' });
    fc.assert(
      fc.property(fc.array(fc.tuple(texts, texts), { maxLength: 5 }), (written) => {
        const json = `{${written.map(([key, value]) => `${JSON.stringify(key)}: ${JSON.stringify(value)}`).join(', ')}}`;
        const yaml = stringify(new Map(written), { defaultStringType: 'QUOTE_DOUBLE' });

        const read = (text: string, file: string) =>
          parseMap(text, file, 'a map').entries.map(({ key, value }) => [
            key,
            value.kind === 'scalar' ? value.value : undefined,
          ]);
        assert.deepEqual(read(json, 'x.json'), written);
        assert.deepEqual(read(yaml, 'x.yaml'), [...new Map(written)]);
      }),
    );
  });
});

describe('A kubeconfig', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'kubeconfig-'));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  const load = async (text: string) => {
    const kubeconfig = join(folder, 'config');
    await writeFile(kubeconfig, text);
    return loadAccess({ kubeconfig, environment: {} });
  };

  test('is read, or refused, whatever is written in it', async () => {
    await fc.assert(
      fc.asyncProperty(soup(false), async (text) => {
        const error = await load(text).then(
          () => undefined,
          (reason: unknown) => reason,
        );

        assert.ok(error === undefined || error instanceof ClusterError, String(error));
      }),
      { numRuns: 300 },
    );
  });

  test('says the same as JSON and as YAML', async () => {
    const text = fc.string({ minLength: 1, unit: 'grapheme' });
    await fc.assert(
      fc.asyncProperty(text, text, text, text, async (name, token, namespace, user) => {
        const config = {
          'current-context': name,
          contexts: [{ name, context: { cluster: name, user, namespace } }],
          clusters: [{ name, cluster: { server: 'https://x.example' } }],
          users: [{ name: user, user: { token } }],
        };

        const [json, yaml] = [await load(JSON.stringify(config)), await load(stringify(config))];

        assert.deepEqual(json, yaml);
        assert.equal(yaml.user.token, token);
        assert.equal(yaml.namespace, namespace);
      }),
      { numRuns: 100 },
    );
  });
});
