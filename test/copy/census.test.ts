import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { openMemory } from '../support/memory.ts';
import { image, layer, seed, task } from './corpus.ts';
import { copyTasks, statuses } from './run.ts';

const base = layer('base');

describe('A destination that holds some of the images', () => {
  const tasks = [
    task('src.test/new:1', 'dst.test/team/new:1'),
    task('src.test/old:2', 'dst.test/team/old:2'),
    task('src.test/old:1', 'dst.test/team/old:1'),
    task('src.test/other:1', 'dst.test/team/other:1'),
  ];
  const prepared = async () => {
    const memory = openMemory();
    seed(memory, 'src.test/old:1', image(['base', 'old']));
    seed(memory, 'src.test/old:2', image(['base', 'newer']));
    seed(memory, 'src.test/new:1', image(['base', 'new']));
    seed(memory, 'src.test/other:1', image(['base', 'new']));
    await copyTasks([task('src.test/old:1', 'dst.test/team/old:1')], memory.ends);
    return { memory, before: memory.arrivals.length };
  };

  for (const [order, list] of Object.entries({
    'that comes last': tasks,
    'that comes first': tasks.toReversed(),
  }))
    test(`gives a blob to its new repositories from the old one ${order}`, async () => {
      const { memory, before } = await prepared();

      const { outcomes, events } = await copyTasks(list, memory.ends);

      const fates = events.flatMap((event) =>
        event.kind === 'placed' && event.blob.digest === base.digest ? [event.fate] : [],
      );
      assert.deepEqual(statuses(outcomes).toSorted(), ['copied', 'copied', 'copied', 'skipped']);
      assert.deepEqual(fates.toSorted(), ['existing', 'mounted', 'mounted']);
      assert.deepEqual(
        memory.arrivals
          .slice(before)
          .filter((arrival) => arrival.includes(base.digest))
          .toSorted(),
        [`mounted dst.test/team/new ${base.digest}`, `mounted dst.test/team/other ${base.digest}`],
      );
    });

  test('is copied to although one of the images cannot be looked at', async () => {
    const { memory } = await prepared();
    const missing = task('src.test/missing:1', 'dst.test/team/missing:1');

    const { outcomes } = await copyTasks([missing, ...tasks], memory.ends);

    assert.deepEqual(statuses(outcomes), ['failed', 'copied', 'copied', 'skipped', 'copied']);
  });
});

test('An empty destination is asked no more than once for a blob', async () => {
  const memory = openMemory();
  for (const name of ['a', 'b', 'c']) seed(memory, `src.test/${name}:1`, image(['base', name]));
  const tasks = ['a', 'b', 'c'].map((name) =>
    task(`src.test/${name}:1`, `dst.test/team/${name}:1`),
  );

  await copyTasks(tasks, memory.ends);

  // Four layers and configurations of their own: the first few are asked for until the registry was seen to mount.
  assert.ok(memory.count('hasBlob') <= 7, `${memory.count('hasBlob')}`);
});
