import assert from 'node:assert/strict';
import { test } from 'node:test';
import { carrier } from '../../src/copy/carry.ts';
import type { CopyEvent } from '../../src/copy/events.ts';
import { digestOf } from '../../src/oci/digest.ts';
import { MemoryError, openMemory } from '../support/memory.ts';
import { digestsOf, image, layer, seed, task } from './corpus.ts';
import { copyTasks, lanes, reasons, statuses } from './run.ts';

const base = layer('base');

test('A blob that two repositories of a registry need is sent once and mounted once', async () => {
  const memory = openMemory();
  seed(memory, 'src.test/a:1', image(['base', 'a']));
  seed(memory, 'src.test/b:1', image(['base', 'b']));
  const tasks = [
    task('src.test/a:1', 'dst.test/team/a:1'),
    task('src.test/b:1', 'dst.test/team/b:1'),
  ];

  const { outcomes } = await copyTasks(tasks, memory.ends);

  const moved = memory.arrivals.filter((arrival) => arrival.endsWith(base.digest));
  assert.deepEqual(statuses(outcomes), ['copied', 'copied']);
  assert.deepEqual(moved.map((arrival) => arrival.split(' ')[0]).sort(), ['mounted', 'uploaded']);
});

test('Two destination registries each get a blob once', async () => {
  const memory = openMemory();
  seed(memory, 'src.test/a:1', image(['base']));
  const tasks = [
    task('src.test/a:1', 'one.test/team/a:1'),
    task('src.test/a:1', 'two.test/team/a:1'),
  ];

  const { plan } = await copyTasks(tasks, memory.ends);

  const uploads = memory.arrivals.filter((arrival) => arrival.startsWith('uploaded'));
  assert.equal(uploads.length, 4);
  assert.equal(plan?.blobs, 4);
});

test('A copy within one registry mounts from the source and sends nothing', async () => {
  const memory = openMemory();
  const content = image(['base', 'own']);
  seed(memory, 'reg.test/old/app:1', content);

  const { outcomes } = await copyTasks(
    [task('reg.test/old/app:1', 'reg.test/new/app:1')],
    memory.ends,
  );

  assert.deepEqual(statuses(outcomes), ['copied']);
  assert.deepEqual(
    memory.arrivals.toSorted(),
    digestsOf(content)
      .map((digest) => `mounted reg.test/new/app ${digest}`)
      .sort(),
  );
  assert.equal(memory.count('openBlob'), 0);
});

test('Where nothing can be mounted, each repository gets the bytes', async () => {
  const memory = openMemory();
  memory.mounts = false;
  seed(memory, 'src.test/a:1', image(['base']));
  seed(memory, 'src.test/b:1', image(['base']));
  const tasks = [task('src.test/a:1', 'dst.test/a:1'), task('src.test/b:1', 'dst.test/b:1')];

  const { outcomes } = await copyTasks(tasks, memory.ends);

  assert.deepEqual(statuses(outcomes), ['copied', 'copied']);
  assert.ok(memory.arrivals.includes(`uploaded dst.test/a ${base.digest}`));
  assert.ok(memory.arrivals.includes(`uploaded dst.test/b ${base.digest}`));
});

test('A repository that refuses a blob fails, although its neighbor took the same blob', {
  timeout: 10_000,
}, async () => {
  const memory = openMemory();
  seed(memory, 'src.test/a:1', image(['base']));
  seed(memory, 'src.test/b:1', image(['base']));
  let refusals = 0;
  memory.interfere(({ operation, repository, subject }) => {
    if (operation !== 'putBlob' || repository !== 'dst.test/b' || subject !== base.digest) return;
    refusals += 1;
    // Left to itself an engine that never gives up would go on for ever.
    if (refusals < 50) throw new MemoryError('DENIED', 'forbidden');
  });
  const tasks = [task('src.test/a:1', 'dst.test/a:1'), task('src.test/b:1', 'dst.test/b:1')];

  const { outcomes } = await copyTasks(tasks, memory.ends);

  assert.deepEqual(statuses(outcomes), ['copied', 'failed']);
  assert.equal(refusals, 1);
});

test('An image that waited for a blob tries for itself when the first image fails with it', async () => {
  const memory = openMemory();
  seed(memory, 'broken.test/a:1', image(['base']));
  seed(memory, 'src.test/b:1', image(['base']));
  memory.repository('broken.test/a').blobs.delete(base.digest);
  const tasks = [task('broken.test/a:1', 'dst.test/a:1'), task('src.test/b:1', 'dst.test/b:1')];

  const { outcomes } = await copyTasks(tasks, memory.ends);

  assert.deepEqual(statuses(outcomes), ['failed', 'copied']);
});

test('That holds within one destination repository, too', async () => {
  const memory = openMemory();
  seed(memory, 'broken.test/a:1', image(['base']));
  seed(memory, 'src.test/b:1', image(['base']));
  memory.repository('broken.test/a').blobs.delete(base.digest);
  const tasks = [task('broken.test/a:1', 'dst.test/app:1'), task('src.test/b:1', 'dst.test/app:2')];

  const { outcomes } = await copyTasks(tasks, memory.ends);

  assert.deepEqual(statuses(outcomes), ['failed', 'copied']);
});

test('Each of several images that fail with one blob names itself in its error', async () => {
  const memory = openMemory();
  for (const name of ['a', 'b', 'c']) seed(memory, `src.test/${name}:1`, image(['base']));
  memory.interfere(({ operation, subject }) => {
    if (operation === 'openBlob' && subject === base.digest)
      throw new MemoryError('NOT_FOUND', 'missing');
  });
  const tasks = ['a', 'b', 'c'].map((name) => task(`src.test/${name}:1`, `dst.test/app:${name}`));

  const { outcomes } = await copyTasks(tasks, memory.ends);

  assert.deepEqual(reasons(outcomes), [
    'source src.test/a:1: refused with NOT_FOUND',
    'source src.test/b:1: refused with NOT_FOUND',
    'source src.test/c:1: refused with NOT_FOUND',
  ]);
});

test('A blob that is there costs one question for the whole registry', async () => {
  const memory = openMemory();
  seed(memory, 'src.test/a:1', image(['base'], 'one'));
  seed(memory, 'src.test/a:2', image(['base'], 'two'));
  seed(memory, 'dst.test/a:old', image(['base'], 'old'));
  const tasks = [task('src.test/a:1', 'dst.test/a:1'), task('src.test/a:2', 'dst.test/a:2')];

  await copyTasks(tasks, memory.ends);

  const asked = memory.calls.filter(
    ({ operation, subject }) =>
      (operation === 'hasBlob' || operation === 'putBlob') && subject === base.digest,
  );
  assert.equal(asked.length, 1);
  assert.equal(memory.count('openBlob'), 2);
});

test('Bytes that are not what their digest says are never stored', async () => {
  const memory = openMemory();
  seed(memory, 'src.test/a:1', image(['base']));
  memory.repository('src.test/a').blobs.set(base.digest, Buffer.from('layer bad!'));

  const { outcomes } = await copyTasks([task('src.test/a:1', 'dst.test/a:1')], memory.ends);

  const [reason] = reasons(outcomes);
  assert.match(reason ?? '', /^source src\.test\/a:1: the bytes received for sha256:/);
  assert.ok(!memory.repository('dst.test/a').blobs.has(base.digest));
});

test('A destination may ask for a blob from an offset on', async () => {
  const memory = openMemory();
  const content = image(['base']);
  seed(memory, 'src.test/a:1', content);
  const received: string[] = [];
  const events: CopyEvent[] = [];
  const destination = memory.repository('dst.test/a');
  const resuming = {
    ...destination,
    putBlob: async (...[, open]: Parameters<typeof destination.putBlob>) => {
      for await (const chunk of await open(6)) received.push(Buffer.from(chunk).toString());
      return 'uploaded' as const;
    },
  };
  const { place } = carrier({
    ends: { source: memory.ends.source, destination: async () => resuming },
    queue: lanes(1),
    listener: (event) => events.push(event),
    signal: new AbortController().signal,
  });

  const fate = await place(base, task('src.test/a:1', 'dst.test/a:1'));

  const offsets = events.flatMap((event) => (event.kind === 'moving' ? [event.offset] : []));
  assert.equal(fate, 'transferred');
  assert.equal(received.join(''), 'base');
  assert.equal(offsets.at(-1), base.size);
  assert.ok(offsets.every((offset) => offset > 6));
});

test('An empty blob is carried', async () => {
  const memory = openMemory();
  const empty = { ...base, bytes: Buffer.alloc(0), size: 0, digest: digestOf(Buffer.alloc(0)) };
  seed(memory, 'src.test/a:1', image([empty]));

  const { outcomes } = await copyTasks([task('src.test/a:1', 'dst.test/a:1')], memory.ends);

  assert.deepEqual(statuses(outcomes), ['copied']);
  assert.ok(memory.repository('dst.test/a').blobs.has(empty.digest));
});
