import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Once } from '../../src/copy/once.ts';

/** Work that can be counted, and that fails so many times before it goes well. */
function counted(failures = 0) {
  let runs = 0;
  const work = async (): Promise<number> => {
    runs += 1;
    const run = runs;
    await new Promise((resolve) => setImmediate(resolve));
    if (run <= failures) throw new Error(`failure ${run}`);
    return run;
  };
  return { work, runs: () => runs };
}

describe('Once', () => {
  test('does work once for all who ask, at the same time or later', async () => {
    const once = new Once<number>();
    const { work, runs } = counted();

    const together = await Promise.all([once.run('a', work), once.run('a', work)]);
    const later = await once.run('a', work);

    assert.deepEqual([...together, later], [1, 1, 1]);
    assert.equal(runs(), 1);
  });

  test('keeps keys apart', async () => {
    const once = new Once<number>();
    const { work } = counted();

    const found = await Promise.all([once.run('a', work), once.run('b', work)]);

    assert.deepEqual(found, [1, 2]);
  });

  test('forgets a failure, which all who waited share', async () => {
    const once = new Once<number>();
    const { work } = counted(1);

    const together = await Promise.allSettled([once.run('a', work), once.run('a', work)]);
    const later = await once.run('a', work);

    assert.deepEqual(
      together.map(({ status }) => status),
      ['rejected', 'rejected'],
    );
    assert.equal(later, 2);
  });
});

describe('What is shared', () => {
  test('tells who did the work', async () => {
    const once = new Once<number>();
    const { work } = counted();

    const found = await Promise.all([once.share('a', work), once.share('a', work)]);

    assert.deepEqual(found, [
      { result: 1, mine: true },
      { result: 1, mine: false },
    ]);
  });

  test('fails for the one who did the work, and the others try for themselves in turn', async () => {
    const once = new Once<number>();
    const { work, runs } = counted(2);

    const found = await Promise.allSettled(Array.from({ length: 4 }, () => once.share('a', work)));

    const failed = found.filter(({ status }) => status === 'rejected');
    const done = found.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
    assert.equal(failed.length, 2);
    assert.deepEqual(
      done.map(({ result }) => result),
      [3, 3],
    );
    assert.equal(done.filter(({ mine }) => mine).length, 1);
    assert.equal(runs(), 3);
  });

  test('fails for everyone after as many tries as there are', async () => {
    const once = new Once<number>();
    const { work, runs } = counted(Number.POSITIVE_INFINITY);

    const found = await Promise.allSettled(Array.from({ length: 5 }, () => once.share('a', work)));

    const reasons = found.map((each) => each.status === 'rejected' && each.reason.message);
    assert.deepEqual(
      reasons.toSorted(),
      [1, 2, 3, 4, 5].map((number) => `failure ${number}`),
    );
    assert.equal(runs(), 5);
  });
});

test('No more keys are remembered than is said: the oldest are forgotten', async () => {
  const once = new Once<string>(2);
  const made: string[] = [];
  const ask = (key: string) =>
    once.run(key, async () => {
      made.push(key);
      return key;
    });

  for (const key of ['a', 'b', 'b', 'c', 'b', 'a']) assert.equal(await ask(key), key);

  assert.deepEqual(made, ['a', 'b', 'c', 'a']);
});
