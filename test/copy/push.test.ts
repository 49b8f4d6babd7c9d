import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryError, openMemory } from '../support/memory.ts';
import { digestsOf, image, index, layer, seed, task } from './corpus.ts';
import { copyTasks, reasons, statuses } from './run.ts';

/** The manifests that were put, in order, by tag or digest. */
function puts(memory: ReturnType<typeof openMemory>): readonly string[] {
  return memory.calls
    .filter(({ operation }) => operation === 'putManifest')
    .map(({ subject }) => subject);
}

test('Blobs come before manifests, children before parents, and the tag last', async () => {
  const memory = openMemory();
  const amd64 = image(['a']);
  const arm64 = image(['b']);
  const inner = index([arm64]);
  seed(memory, 'src.test/app:1', index([amd64, inner]));

  const { outcomes } = await copyTasks([task('src.test/app:1', 'dst.test/app:1')], memory.ends);

  const order = memory.calls.filter(({ repository }) => repository === 'dst.test/app');
  const firstManifest = order.findIndex(({ operation }) => operation === 'putManifest');
  const lastBlob = order.findLastIndex(({ operation }) => operation === 'putBlob');
  const put = puts(memory);
  assert.deepEqual(statuses(outcomes), ['copied']);
  assert.ok(lastBlob < firstManifest);
  assert.ok(put.indexOf(arm64.digest) < put.indexOf(inner.digest));
  assert.deepEqual(put.toSorted(), [amd64.digest, arm64.digest, inner.digest, '1'].sort());
  assert.equal(put.at(-1), '1');
});

test('Manifests arrive byte for byte, with spaces and key order as they were', async () => {
  const memory = openMemory();
  const content = image(['a']);
  const bytes = Buffer.from(`  ${Buffer.from(content.manifest.bytes).toString()}\n\n`);
  const odd = { ...content, manifest: { ...content.manifest, bytes } };
  seed(memory, 'src.test/app:1', odd);

  await copyTasks([task('src.test/app:1', 'dst.test/app:1')], memory.ends);

  const stored = memory.repository('dst.test/app').manifests.get(content.digest);
  assert.deepEqual(stored?.bytes, bytes);
});

test('A child that two images of a repository share is fetched once and pushed once', async () => {
  const memory = openMemory();
  const shared = image(['a']);
  seed(memory, 'src.test/app:1', index([shared], 'one'));
  seed(memory, 'src.test/app:2', index([shared], 'two'));
  const tasks = [
    task('src.test/app:1', 'dst.test/app:1'),
    task('src.test/app:2', 'dst.test/app:2'),
  ];

  await copyTasks(tasks, memory.ends);

  const fetched = memory.calls.filter(
    ({ operation, subject }) => operation === 'fetchManifest' && subject === shared.digest,
  );
  assert.equal(fetched.length, 1);
  assert.deepEqual(puts(memory).toSorted(), [shared.digest, '1', '2'].sort());
});

test('Two tags of one image are two tags there, over one set of blobs', async () => {
  const memory = openMemory();
  const content = image(['a', 'b']);
  seed(memory, 'src.test/app:1', content);
  seed(memory, 'src.test/app:latest', content);
  const tasks = [
    task('src.test/app:1', 'dst.test/app:1'),
    task('src.test/app:latest', 'dst.test/app:latest'),
  ];

  const { outcomes } = await copyTasks(tasks, memory.ends);

  const { tags } = memory.repository('dst.test/app');
  assert.deepEqual(statuses(outcomes), ['copied', 'copied']);
  assert.equal(memory.arrivals.length, 3);
  assert.deepEqual(
    [...tags].sort(),
    [
      ['1', content.digest],
      ['latest', content.digest],
    ].sort(),
  );
});

test('An image without a tag is pushed by its digest', async () => {
  const memory = openMemory();
  const content = image(['a']);
  seed(memory, 'src.test/app', content);
  const byDigest = task(`src.test/app@${content.digest}`, `dst.test/app@${content.digest}`);

  const { outcomes } = await copyTasks([byDigest], memory.ends);

  assert.deepEqual(statuses(outcomes), ['copied']);
  assert.deepEqual(puts(memory), [content.digest]);
  assert.equal(memory.repository('dst.test/app').tags.size, 0);
});

test('A digest with a tag copies the digest, whatever the tag names by now, and sets the tag', async () => {
  const memory = openMemory();
  const pinned = image(['old']);
  seed(memory, 'src.test/app', pinned);
  seed(memory, 'src.test/app:1', image(['new']));
  const both = task(`src.test/app:1@${pinned.digest}`, `dst.test/app:1@${pinned.digest}`);

  const { outcomes } = await copyTasks([both], memory.ends);

  assert.deepEqual(statuses(outcomes), ['copied']);
  assert.equal(memory.repository('dst.test/app').tags.get('1'), pinned.digest);
});

test('A registry that claims blobs which it lacks gets each of them once more, then the manifests', async () => {
  const memory = openMemory();
  const children = [image(['a', 'base']), image(['b', 'base'])];
  const root = index(children);
  seed(memory, 'src.test/app:1', root);
  const destination = memory.repository('dst.test/app');
  // As pull-through caches do: every HEAD is answered with yes.
  const ends = {
    source: memory.ends.source,
    destination: async () => ({ ...destination, hasBlob: async () => true }),
  };

  const { outcomes } = await copyTasks([task('src.test/app:1', 'dst.test/app:1')], ends);

  const sent = memory.arrivals.map((arrival) => arrival.split(' ')[2]);
  assert.deepEqual(statuses(outcomes), ['copied']);
  assert.equal(destination.tags.get('1'), root.digest);
  for (const digest of digestsOf(root)) assert.ok(destination.blobs.has(digest));
  assert.deepEqual(sent.toSorted(), digestsOf(root).toSorted());
});

test('A manifest that is still incomplete after that fails, and no tag is set', async () => {
  const memory = openMemory();
  seed(memory, 'src.test/app:1', image(['a']));
  memory.interfere(({ operation }) => {
    if (operation === 'putManifest') throw new MemoryError('MANIFEST_BLOB_UNKNOWN', 'incomplete');
  });

  const { outcomes } = await copyTasks([task('src.test/app:1', 'dst.test/app:1')], memory.ends, {
    retries: 3,
  });

  assert.deepEqual(reasons(outcomes), [
    'destination dst.test/app:1: refused with MANIFEST_BLOB_UNKNOWN',
  ]);
  assert.equal(memory.count('putManifest'), 2);
  assert.equal(memory.repository('dst.test/app').tags.size, 0);
});

test('Images that share a child which is refused each name themselves', async () => {
  const memory = openMemory();
  const shared = image(['a']);
  seed(memory, 'src.test/app:1', index([shared], 'one'));
  seed(memory, 'src.test/app:2', index([shared], 'two'));
  memory.interfere(({ operation, subject }) => {
    if (operation === 'putManifest' && subject === shared.digest)
      throw new MemoryError('MANIFEST_INVALID');
  });
  const tasks = [
    task('src.test/app:1', 'dst.test/app:1'),
    task('src.test/app:2', 'dst.test/app:2'),
  ];

  const { outcomes } = await copyTasks(tasks, memory.ends);

  assert.deepEqual(reasons(outcomes), [
    'destination dst.test/app:1: refused with MANIFEST_INVALID',
    'destination dst.test/app:2: refused with MANIFEST_INVALID',
  ]);
});

test('A foreign layer that the source holds is carried like any other', async () => {
  const memory = openMemory();
  const foreign = layer('windows', ['https://layers.example/1']);
  seed(memory, 'src.test/app:1', image(['a', foreign]));
  memory.repository('src.test/app').blobs.set(foreign.digest, foreign.bytes);

  const { outcomes } = await copyTasks([task('src.test/app:1', 'dst.test/app:1')], memory.ends);

  assert.deepEqual(statuses(outcomes), ['copied']);
  assert.deepEqual(outcomes[0]?.notes, []);
  assert.ok(memory.repository('dst.test/app').blobs.has(foreign.digest));
});

test('A foreign layer that is nowhere stays an address, and a note says so', async () => {
  const memory = openMemory();
  const foreign = layer('windows', ['https://layers.example/1', 'https://layers.example/2']);
  seed(memory, 'src.test/app:1', image(['a', foreign]));

  const { outcomes } = await copyTasks([task('src.test/app:1', 'dst.test/app:1')], memory.ends);

  assert.deepEqual(statuses(outcomes), ['copied']);
  assert.deepEqual(outcomes[0]?.notes, [
    `foreign layer ${foreign.digest} could not be fetched and stays an address in the manifest: https://layers.example/1 https://layers.example/2`,
  ]);
});

test('A foreign layer that cannot be asked for is a failure, not an absence', async () => {
  const memory = openMemory();
  const foreign = layer('windows', ['https://layers.example/1']);
  seed(memory, 'src.test/app:1', image([foreign]));
  memory.interfere(({ operation, subject }) => {
    if (operation === 'openBlob' && subject === foreign.digest)
      throw new MemoryError('UNAVAILABLE', 'transient');
  });

  const { outcomes } = await copyTasks([task('src.test/app:1', 'dst.test/app:1')], memory.ends);

  assert.deepEqual(reasons(outcomes), ['source src.test/app:1: refused with UNAVAILABLE']);
});

test('Any other layer that is missing at the source fails its image', async () => {
  const memory = openMemory();
  seed(memory, 'src.test/app:1', image(['a']));
  memory.repository('src.test/app').blobs.delete(layer('a').digest);

  const { outcomes } = await copyTasks([task('src.test/app:1', 'dst.test/app:1')], memory.ends);

  assert.deepEqual(reasons(outcomes), ['source src.test/app:1: refused with NOT_FOUND']);
  assert.equal(memory.count('putManifest'), 0);
});
