import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Memory, MemoryError, openMemory } from '../support/memory.ts';
import { image, seed, task } from './corpus.ts';
import { copyTasks, lanes, statuses } from './run.ts';

// What a job costs at the least, in questions to the two ends. docs/performance.md gives the same in requests.

const TAGS = Array.from({ length: 20 }, (_, index) => `v${index}`);
const tasks = TAGS.map((tag) => task(`src.test/app:${tag}`, `dst.test/app:${tag}`));

/** A repository of images that share one layer; the config and the other layer are each image's own. */
function openRepository(): Memory {
  const memory = openMemory();
  for (const tag of TAGS) seed(memory, `src.test/app:${tag}`, image(['shared', tag], tag));
  return memory;
}

test('A new repository is asked for one tag and for its list of tags, however many it gets', async () => {
  const memory = openRepository();

  const { outcomes } = await copyTasks(tasks, memory.ends);

  assert.deepEqual(new Set(statuses(outcomes)), new Set(['copied']));
  assert.equal(memory.count('resolve', 'dst.test/app'), 1);
  assert.equal(memory.count('listTags', 'dst.test/app'), 1);
  assert.equal(memory.count('resolve', 'src.test/app'), 0);
  assert.equal(memory.count('fetchManifest', 'src.test/app'), TAGS.length);
  assert.equal(memory.count('putManifest', 'dst.test/app'), TAGS.length);
});

test('A repository that has its tags already is asked for each of them once, and not for a list', async () => {
  const memory = openRepository();
  await copyTasks(tasks, memory.ends);
  const before = memory.calls.length;

  const { outcomes } = await copyTasks(tasks, memory.ends);

  assert.deepEqual(new Set(statuses(outcomes)), new Set(['skipped']));
  assert.equal(memory.calls.length - before, 2 * TAGS.length);
});

test('A repository that has some of its tags is asked for those alone', async () => {
  const memory = openRepository();
  await copyTasks(tasks.slice(10, 15), memory.ends);
  const before = memory.count('resolve', 'dst.test/app');

  const { outcomes } = await copyTasks(tasks, memory.ends);

  assert.equal(statuses(outcomes).filter((status) => status === 'skipped').length, 5);
  assert.equal(memory.count('resolve', 'dst.test/app') - before, 1 + 5);
});

test('A list of tags that is refused costs a question for each tag', async () => {
  const memory = openRepository();
  memory.interfere(({ operation }) => {
    if (operation === 'listTags') throw new MemoryError('DENIED', 'forbidden');
  });

  const { outcomes } = await copyTasks(tasks, memory.ends);

  assert.deepEqual(new Set(statuses(outcomes)), new Set(['copied']));
  assert.equal(memory.count('resolve', 'dst.test/app'), TAGS.length);
  assert.equal(memory.count('listTags', 'dst.test/app'), 1);
});

test('Once a registry was seen to mount, blobs are not looked for before they are sent', async () => {
  const memory = openRepository();

  await copyTasks(tasks, memory.ends, { blobs: lanes(1) });

  const blobs = 1 + 2 * TAGS.length;
  assert.equal(memory.count('hasBlob'), 1);
  assert.equal(memory.count('mountBlob'), 1);
  assert.equal(memory.count('putBlob'), blobs);
  assert.equal(memory.count('openBlob'), blobs);
});

test('Small blobs wait for the first of them to show whether the registry mounts', async () => {
  const memory = openRepository();

  const { outcomes } = await copyTasks(tasks, memory.ends, { blobs: lanes(26) });

  const blobs = 1 + 2 * TAGS.length;
  assert.deepEqual(new Set(statuses(outcomes)), new Set(['copied']));
  assert.equal(memory.count('hasBlob'), 1);
  assert.equal(memory.count('mountBlob'), 1);
  assert.equal(memory.count('putBlob'), blobs);
});

test('Small blobs do not fail with the first of them', async () => {
  const memory = openRepository();
  let failures = 0;
  memory.interfere(({ operation }) => {
    if (operation !== 'putBlob' || failures === 1) return;
    failures += 1;
    throw new MemoryError('DENIED', 'forbidden');
  });

  const { outcomes } = await copyTasks(tasks, memory.ends, { blobs: lanes(26) });

  const failed = statuses(outcomes).filter((status) => status === 'failed');
  assert.ok(failed.length <= 1);
});

test('A registry that does not mount is asked for each blob before it is sent', async () => {
  const memory = openRepository();
  memory.mounts = false;

  await copyTasks(tasks, memory.ends, { blobs: lanes(1) });

  const blobs = 1 + 2 * TAGS.length;
  assert.equal(memory.count('hasBlob'), blobs);
  assert.equal(memory.count('mountBlob'), 1);
  assert.equal(memory.count('openBlob'), blobs);
});

test('A blob that a mount finds in its own repository counts as found, and is not sent', async () => {
  const memory = openRepository();
  await copyTasks(tasks, memory.ends);
  const before = memory.count('openBlob');
  memory.repository('dst.test/app').tags.clear();

  const more = task('src.test/app:new', 'dst.test/app:new');
  seed(memory, 'src.test/app:new', image(['new'], 'new'));
  const { events } = await copyTasks([more, ...tasks], memory.ends, {
    images: lanes(1),
    blobs: lanes(1),
  });

  const fates = events.flatMap((event) => (event.kind === 'placed' ? [event.fate] : []));
  assert.equal(memory.count('openBlob') - before, 2);
  assert.equal(fates.filter((fate) => fate === 'transferred').length, 2);
  assert.equal(fates.filter((fate) => fate === 'existing').length, 1 + 2 * TAGS.length);
});

test('A registry that does not mount is not sent again what another repository of it has', async () => {
  const memory = openMemory();
  memory.mounts = false;
  for (const name of ['a', 'b']) seed(memory, `src.test/${name}:1`, image(['shared'], name));
  const both = ['a', 'b'].map((name) => task(`src.test/${name}:1`, `dst.test/${name}:1`));
  await copyTasks(both, memory.ends);
  for (const name of ['a', 'b']) memory.repository(`dst.test/${name}`).tags.clear();
  seed(memory, 'src.test/c:1', image(['other'], 'c'));
  const before = memory.count('openBlob');

  const { outcomes } = await copyTasks(
    [task('src.test/c:1', 'dst.test/c:1'), ...both],
    memory.ends,
    { images: lanes(1), blobs: lanes(1) },
  );

  assert.deepEqual(statuses(outcomes), ['copied', 'copied', 'copied']);
  assert.equal(memory.count('openBlob') - before, 2);
});
