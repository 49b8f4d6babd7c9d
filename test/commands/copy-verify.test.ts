import assert from 'node:assert/strict';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { digestOf } from '../../src/oci/digest.ts';
import { linksOf } from '../../src/oci/manifest.ts';
import { DISTRIBUTION } from '../support/distribution.ts';
import { fetchManifest } from '../support/images-verify.ts';
import { skipUnless } from '../support/requirement.ts';
import { linesOf } from './move.ts';
import { type AnyReport, anyReportIn, openShelf, type Shelf, writesTo } from './shelf.ts';

const REAL = { skip: skipUnless(DISTRIBUTION), timeout: 240_000 };

// What the shelf calls them.
const IMAGE = 'kinds/kind0';
const INDEX = 'kinds/kind2';
const FOREIGN = 'kinds/kind10';

/** Where distribution keeps the files of its storage. */
function placesOf({ destination }: Shelf) {
  const root = join(destination.folder, 'data/docker/registry/v2');
  const inRepository = (name: string, ...path: readonly string[]) =>
    join(root, 'repositories/moved', name, ...path);
  const hex = (digest: string) => digest.slice('sha256:'.length);
  return {
    tag: (name: string) => inRepository(name, '_manifests/tags/v1/current/link'),
    revision: (name: string, digest: string) =>
      inRepository(name, '_manifests/revisions/sha256', hex(digest), 'link'),
    layer: (name: string, digest: string) =>
      inRepository(name, '_layers/sha256', hex(digest), 'link'),
    data: (digest: string) =>
      join(root, 'blobs/sha256', hex(digest).slice(0, 2), hex(digest), 'data'),
  };
}

/** What the source has under a name: the digests of its manifest, its first child and its last blob. */
async function partsOf({ source }: Shelf, name: string) {
  const read = async (reference: string) => {
    const found = await fetchManifest(source, name, reference);
    assert.ok(found);
    const { bytes, mediaType } = found;
    const digest = digestOf(bytes);
    const links = linksOf({ bytes, descriptor: { mediaType, digest, size: bytes.length } });
    return { digest, child: links.manifests[0]?.digest, blob: links.blobs.at(-1) };
  };
  const root = await read('v1');
  const { blob } = root.child === undefined ? root : await read(root.child);
  assert.ok(blob);
  return { root: root.digest, child: root.child ?? root.digest, blob };
}

/** Changes a file until the test is over; undefined takes it away. */
async function spoil(
  path: string,
  change: (bytes: Buffer) => Uint8Array | string | undefined,
): Promise<() => Promise<void>> {
  const before = await readFile(path);
  const after = change(before);
  await (after === undefined ? rm(path) : writeFile(path, after));
  return () => writeFile(path, before);
}

function flipped(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes);
  copy[5] = (copy[5] ?? 0) ^ 1;
  return copy;
}

/** Which images are not identical, with what is said of them. */
function strangeIn({ images }: AnyReport) {
  return images
    .filter(({ status }) => status !== 'identical')
    .map(({ destination, status, notes }) => ({
      name: destination.replace(/^.*\/moved\/(.*):v1$/, '$1'),
      status,
      notes,
    }));
}

test(
  'What was copied to distribution is verified, and each thing that breaks there is found',
  REAL,
  async (t) => {
    const shelf = await openShelf(t);
    const { source, destination, desk } = shelf;
    await shelf.write();
    await desk.run(['copy']);
    const places = placesOf(shelf);
    const image = await partsOf(shelf, IMAGE);
    const index = await partsOf(shelf, INDEX);
    const verify = async (...parameters: readonly string[]) => {
      const finished = await desk.run(['copy', 'verify', '-o', 'json', ...parameters]);
      return { finished, report: anyReportIn(finished) };
    };

    for (const parameters of [[], ['--deep']])
      await t.test(`An intact copy is identical ${parameters.join('')}`, async () => {
        for (const registry of [source, destination]) {
          await registry.settle();
          registry.log.clear();
        }

        const { finished, report } = await verify(...parameters);

        assert.equal(finished.code, 0, finished.stderr);
        assert.deepEqual(strangeIn(report), []);
        assert.equal(report.summary['identical'], shelf.rules.length);
        assert.equal(report.summary['images'], shelf.rules.length);
        assert.deepEqual([await writesTo(source), await writesTo(destination)], [[], []]);
        assert.equal(source.log.count('GET', 'blob'), 0);
        const asked = destination.log.select('HEAD', 'blob').map(({ path }) => path);
        assert.equal(new Set(asked).size, asked.length);
        assert.equal(report.summary['blobsChecked'], asked.length);
        const read = destination.log
          .select('GET', 'blob')
          .map(({ path }) => path.split('/').at(-1));
        assert.equal(new Set(read).size, read.length);
        assert.equal(read.length > 0, parameters.length > 0);
        const bytes = destination.log.select('GET', 'blob').map(({ bytesOut }) => bytesOut);
        assert.equal(
          report.summary['bytesRead'],
          bytes.reduce((sum, each) => sum + each, 0),
        );
        const foreign = report.images.find(({ source: name }) => name.endsWith(`${FOREIGN}:v1`));
        assert.match(foreign?.notes.join() ?? '', /^foreign layer sha256:\w+ is not at the dest/);
      });

    const faults = [
      {
        what: 'A tag that is gone',
        path: places.tag(IMAGE),
        change: () => undefined,
        found: { name: IMAGE, status: 'missing', notes: [] },
      },
      {
        what: 'A tag that names something else',
        path: places.tag(INDEX),
        change: () => index.child,
        found: { name: INDEX, status: 'different', notes: [] },
      },
      {
        what: 'A child that is gone',
        path: places.revision(INDEX, index.child),
        change: () => undefined,
        found: {
          ...{ name: INDEX, status: 'incomplete' },
          notes: [`manifest ${index.child} is missing`],
        },
      },
      {
        what: 'A layer that is gone from its repository',
        path: places.layer(INDEX, index.blob.digest),
        change: () => undefined,
        found: {
          ...{ name: INDEX, status: 'incomplete' },
          notes: [`blob ${index.blob.digest} is missing`],
        },
      },
      {
        what: 'A blob that was cut',
        path: places.data(image.blob.digest),
        change: (bytes: Buffer) => bytes.subarray(10),
        found: {
          ...{ name: IMAGE, status: 'incomplete' },
          notes: [
            `blob ${image.blob.digest} has ${image.blob.size - 10} bytes instead of ${image.blob.size}`,
          ],
        },
      },
      {
        what: 'A blob whose data is gone',
        path: places.data(image.blob.digest),
        change: () => undefined,
        found: {
          ...{ name: IMAGE, status: 'incomplete' },
          notes: [`blob ${image.blob.digest} is missing`],
        },
      },
    ];
    for (const { what, path, change, found } of faults)
      await t.test(`${what} is found, and nothing else`, async (subtest) => {
        subtest.after(await spoil(path, change));

        const { finished, report } = await verify();

        assert.equal(finished.code, 1);
        assert.deepEqual(strangeIn(report), [found]);
        assert.equal(report.summary[found.status], 1);
        assert.equal(report.summary['identical'], shelf.rules.length - 1);
      });

    await t.test('A byte that was flipped in a blob is found by --deep alone', async (subtest) => {
      subtest.after(await spoil(places.data(image.blob.digest), flipped));

      const shallow = await verify();
      const deep = await verify('--deep');

      assert.deepEqual(strangeIn(shallow.report), []);
      assert.equal(shallow.finished.code, 0);
      const [strange, ...others] = strangeIn(deep.report);
      assert.equal(deep.finished.code, 1);
      assert.deepEqual(others, []);
      assert.deepEqual([strange?.name, strange?.status], [IMAGE, 'incomplete']);
      const [note, ...notes] = strange?.notes ?? [];
      assert.deepEqual(notes, []);
      assert.ok(note?.startsWith(`blob ${image.blob.digest} holds other bytes: `), note);
    });

    await t.test('A byte that was flipped in a child is found without --deep', async (subtest) => {
      subtest.after(
        await spoil(places.data(index.child), (bytes) =>
          `${bytes}`.replace('"config"', '"confiG"'),
        ),
      );

      const { report } = await verify();

      const [strange, ...others] = strangeIn(report);
      assert.deepEqual(others, []);
      assert.deepEqual([strange?.name, strange?.status], [INDEX, 'incomplete']);
      assert.match(strange?.notes.join() ?? '', new RegExp(`^manifest ${index.child} `));
    });

    await t.test(
      'For people there is a line for each image that is not identical',
      async (subtest) => {
        subtest.after(await spoil(places.tag(IMAGE), () => undefined));
        subtest.after(await spoil(places.layer(INDEX, index.blob.digest), () => undefined));

        const { code, stdout, stderr } = await desk.run(['copy', 'verify']);

        const [first, ...lines] = linesOf(stdout);
        assert.deepEqual([code, stderr], [1, '']);
        assert.equal(first, `Verifying ${shelf.rules.length} images, please wait ...`);
        assert.equal(
          lines.at(-1),
          `Verified(${shelf.rules.length}) finished, ${shelf.rules.length - 2} identical, 1 missing, 0 different, 1 incomplete, 0 failed`,
        );
        assert.deepEqual(lines.slice(0, -1).sort(), [
          `incomplete ${source.host}/${INDEX}:v1 -> ${destination.host}/moved/${INDEX}:v1  blob ${index.blob.digest} is missing`,
          `missing    ${source.host}/${IMAGE}:v1 -> ${destination.host}/moved/${IMAGE}:v1`,
        ]);
      },
    );
  },
);
