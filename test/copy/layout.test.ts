import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  claimOf,
  type HolderOf,
  type Layout,
  mapImages,
  untangled,
} from '../../src/copy/layout.ts';
import { formatName, formatReference, parseReference } from '../../src/oci/reference.ts';

const TARGET = { registry: 'swr.test', repository: 'team' };
const DIGEST = `sha256:${'a'.repeat(64)}`;
const OTHER = `sha256:${'b'.repeat(64)}`;

/** Whom destinations belong to, by what they claim. */
function holders(taken: ReadonlyMap<string, string>): HolderOf {
  return (destination) => taken.get(claimOf(destination));
}

/** Destinations without the target, in the order of the sources. */
function placed(
  sources: readonly string[],
  layout: Layout,
  taken: ReadonlyMap<string, string> = new Map(),
) {
  const { images } = mapImages(sources.map(parseReference), TARGET, layout, holders(taken));
  return images.map(({ destination }) =>
    formatReference(destination).replace('swr.test/team/', ''),
  );
}

function collisionsOf(sources: readonly string[], layout: Layout = 'flatten') {
  return mapImages(sources.map(parseReference), TARGET, layout).collisions;
}

describe('flatten', () => {
  test('keeps the last segment of the path, the tag and the digest', () => {
    const found = placed(
      ['nginx:1', 'gcr.io/a/b/app:2', `quay.io/x/tool:3@${DIGEST}`, `quay.io/x/other@${DIGEST}`],
      'flatten',
    );

    assert.deepEqual(found, ['nginx:1', 'app:2', `tool:3@${DIGEST}`, `other@${DIGEST}`]);
  });

  test('gives both of two images that would meet their whole path', () => {
    const sources = ['gcr.io/a/app:1', 'gcr.io/b/app:1', 'gcr.io/b/tool:1'];

    assert.deepEqual(placed(sources, 'flatten'), ['a/app:1', 'b/app:1', 'tool:1']);
    assert.deepEqual(collisionsOf(sources), [['gcr.io/a/app', 'gcr.io/b/app']]);
  });

  test('gives them their registry, too, where the path is the same', () => {
    const sources = ['gcr.io/a/app:1', 'quay.io/a/app:1', 'quay.io/b/app:1'];

    assert.deepEqual(placed(sources, 'flatten'), ['gcr.io/a/app:1', 'quay.io/a/app:1', 'b/app:1']);
  });

  test('lets images meet in one repository that have no tag in common', () => {
    const sources = ['gcr.io/a/app:1', 'gcr.io/b/app:2'];

    assert.deepEqual(placed(sources, 'flatten'), ['app:1', 'app:2']);
    assert.deepEqual(collisionsOf(sources), []);
  });

  test('moves all tags of a repository together', () => {
    const sources = ['gcr.io/a/app:1', 'gcr.io/a/app:2', 'gcr.io/b/app:2'];

    assert.deepEqual(placed(sources, 'flatten'), ['a/app:1', 'a/app:2', 'b/app:2']);
  });

  test('tells a collision once, whatever number of tags meets', () => {
    const sources = ['b.io/x/app:1', 'a.io/y/app:1', 'b.io/x/app:2', 'a.io/y/app:2'];

    assert.deepEqual(collisionsOf(sources), [['a.io/y/app', 'b.io/x/app']]);
  });

  test('gives hosts with ports and IPv6 addresses a name that a path can hold', () => {
    const sources = ['[::1]:5000/app:1', 'localhost:5000/app:1', 'REG.io/app:1', '[::]/app:1'];

    const found = placed(sources, 'flatten');

    assert.deepEqual(found.slice(0, 3), ['1-5000/app:1', 'localhost-5000/app:1', 'reg.io/app:1']);
    for (const each of found) parseReference(`swr.test/team/${each}`);
  });

  test('tells hosts apart that read alike without their colons', () => {
    const found = placed(['a-1.io:5000/app:1', 'a-1.io-5000/app:1'], 'flatten');

    assert.equal(new Set(found).size, 2);
    for (const each of found) assert.match(each, /^a-1\.io-5000\/app-[0-9a-f]{8}:1$/);
  });
});

describe('preserve', () => {
  test('keeps the whole path', () => {
    assert.deepEqual(placed(['nginx:1', 'gcr.io/a/b/app:2'], 'preserve'), [
      'library/nginx:1',
      'a/b/app:2',
    ]);
  });

  test('adds the registry where paths are the same', () => {
    const sources = ['gcr.io/a/app:1', 'quay.io/a/app:1'];

    assert.deepEqual(placed(sources, 'preserve'), ['gcr.io/a/app:1', 'quay.io/a/app:1']);
    assert.deepEqual(collisionsOf(sources, 'preserve'), [['gcr.io/a/app', 'quay.io/a/app']]);
  });
});

describe('What is taken already', () => {
  test('makes an image of another source step aside, and the collision names both', () => {
    const taken = new Map([['swr.test/team/app:1', 'gcr.io/a/app']]);

    const { images, collisions } = mapImages(
      [parseReference('gcr.io/b/app:1')],
      TARGET,
      'flatten',
      holders(taken),
    );

    const [image] = images;
    assert.equal(image && formatReference(image.destination), 'swr.test/team/b/app:1');
    assert.deepEqual(collisions, [['gcr.io/a/app', 'gcr.io/b/app']]);
  });

  test('does not hinder the source that has it', () => {
    const taken = new Map([['swr.test/team/app:1', 'gcr.io/a/app']]);

    assert.deepEqual(placed(['gcr.io/a/app:1', 'gcr.io/a/app:2'], 'flatten', taken), [
      'app:1',
      'app:2',
    ]);
  });
});

describe('Untangled sources', () => {
  const untangle = (sources: readonly string[]) =>
    untangled(sources.map(parseReference)).map(formatReference);

  test('keep tag and digest where they agree', () => {
    const sources = [`gcr.io/a/app:1@${DIGEST}`, 'gcr.io/a/app:2'];

    assert.deepEqual(untangle(sources), sources);
  });

  test('lose the tag where it stands for two things', () => {
    assert.deepEqual(
      untangle([`gcr.io/a/app:1@${DIGEST}`, `gcr.io/a/app:1@${OTHER}`, 'gcr.io/a/app:1']),
      [`gcr.io/a/app@${DIGEST}`, `gcr.io/a/app@${OTHER}`, 'gcr.io/a/app:1'],
    );
  });
});

describe('Whatever the sources are', () => {
  const segment = fc.constantFrom('app', 'a', 'gcr.io', 'localhost-5000', 'library');
  const source = fc
    .record({
      registry: fc.constantFrom(
        'docker.io',
        'gcr.io',
        'a.io:5000',
        'a.io-5000',
        '[::1]:5000',
        'localhost:5000',
        'LOCALHOST:5000',
      ),
      path: fc.array(segment, { minLength: 1, maxLength: 3 }),
      version: fc.constantFrom(':1', ':2', `@${DIGEST}`, `:1@${DIGEST}`, `:1@${OTHER}`),
    })
    .map(({ registry, path, version }) =>
      parseReference(`${registry}/${path.join('/')}${version}`),
    );
  const sources = fc
    .uniqueArray(source, { selector: formatReference, maxLength: 12 })
    .map((found) => [
      ...new Map(untangled(found).map((each) => [formatReference(each), each])).values(),
    ]);
  const layout = fc.constantFrom<Layout>('flatten', 'preserve');

  test('no two have one destination, and each destination can be read', () => {
    fc.assert(
      fc.property(sources, layout, (found, how) => {
        const { images } = mapImages(found, TARGET, how);

        const claims = images.map(({ destination }) => claimOf(destination));
        assert.equal(new Set(claims).size, found.length);
        for (const { source: from, destination } of images) {
          assert.deepEqual(parseReference(formatReference(destination)), destination);
          assert.equal(destination.tag, from.tag);
          assert.equal(destination.digest, from.digest);
        }
      }),
      { numRuns: 300 },
    );
  });

  test('the order in which they come changes nothing', () => {
    fc.assert(
      fc.property(sources, layout, fc.infiniteStream(fc.nat()), (found, how, numbers) => {
        const shuffled = found
          .map((each) => ({ each, rank: numbers.next().value }))
          .sort((one, other) => one.rank - other.rank)
          .map(({ each }) => each);

        const inOrder = mapImages(found, TARGET, how);
        const mixed = mapImages(shuffled, TARGET, how);

        const words = ({ images }: typeof mixed) =>
          images
            .map((each) => `${formatReference(each.source)} ${formatReference(each.destination)}`)
            .sort();
        assert.deepEqual(words(mixed), words(inOrder));
        assert.deepEqual(mixed.collisions, inOrder.collisions);
      }),
      { numRuns: 300 },
    );
  });

  test('what is taken is never given to another source', () => {
    fc.assert(
      fc.property(sources, sources, layout, (earlier, later, how) => {
        const taken = new Map(
          mapImages(earlier, TARGET, how).images.map(({ source: from, destination }) => [
            claimOf(destination),
            formatName(from),
          ]),
        );

        const { images } = mapImages(later, TARGET, how, holders(taken));

        for (const { source: from, destination } of images) {
          const holder = taken.get(claimOf(destination));
          assert.ok(holder === undefined || holder === formatName(from));
        }
      }),
      { numRuns: 300 },
    );
  });
});
