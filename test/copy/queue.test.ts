import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { Queue } from '../../src/copy/queue.ts';

/** Work that ends when it is told to, and notes when it began. */
function openWork(queue: Queue) {
  const begun: string[] = [];
  const gates = new Map<string, () => void>();
  const results: Promise<void>[] = [];
  return {
    begun,
    add(name: string, size: number): void {
      const gate = Promise.withResolvers<void>();
      gates.set(name, gate.resolve);
      const work = () => {
        begun.push(name);
        return gate.promise;
      };
      results.push(queue.run(size, work));
    },
    async end(name: string): Promise<void> {
      gates.get(name)?.();
      await new Promise((resolve) => setImmediate(resolve));
    },
    async endAll(): Promise<void> {
      for (const open of gates.values()) open();
      await Promise.all(results);
    },
  };
}

describe('A queue', () => {
  test('does no more at a time than it has lanes', async () => {
    const work = openWork(new Queue({ lanes: 2 }));

    for (const name of ['a', 'b', 'c']) work.add(name, 1);

    assert.deepEqual(work.begun, ['a', 'b']);
    await work.end('a');
    assert.deepEqual(work.begun, ['a', 'b', 'c']);
    await work.endAll();
  });

  test('takes the largest first, and of one size the first to come', async () => {
    const work = openWork(new Queue({ lanes: 1 }));
    work.add('first', 1);
    for (const [name, size] of [
      ['small', 10],
      ['large', 4_000],
      ['larger', 9_000],
      ['large too', 4_095],
    ] as const)
      work.add(name, size);

    await work.endAll();

    assert.deepEqual(work.begun, ['first', 'larger', 'large', 'large too', 'small']);
  });

  test('keeps a lane open for small work, which large work never takes', async () => {
    const work = openWork(new Queue({ lanes: 1, smallLanes: 1, smallBelow: 64 }));
    for (const name of ['large 1', 'large 2']) work.add(name, 64);
    for (const name of ['small 1', 'small 2']) work.add(name, 63);

    assert.deepEqual(work.begun, ['large 1', 'small 1']);
    await work.end('small 1');
    assert.deepEqual(work.begun, ['large 1', 'small 1', 'small 2']);
    await work.end('small 2');
    assert.deepEqual(work.begun, ['large 1', 'small 1', 'small 2']);
    await work.endAll();
  });

  test('hands on results and failures, and goes on after both', async () => {
    const queue = new Queue({ lanes: 1 });

    const failed = queue.run(1, () => Promise.reject(new Error('broken')));
    const done = queue.run(1, async () => 'done');

    await assert.rejects(failed, /broken/);
    assert.equal(await done, 'done');
  });

  test('does everything once, whatever sizes come', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat(2 ** 31)),
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 0, max: 3 }),
        async (sizes, lanes, smallLanes) => {
          const queue = new Queue({ lanes, smallLanes, smallBelow: 1_000 });
          let active = 0;
          let most = 0;

          const results = await Promise.all(
            sizes.map((size, index) =>
              queue.run(size, async () => {
                active += 1;
                most = Math.max(most, active);
                await null;
                active -= 1;
                return index;
              }),
            ),
          );

          assert.deepEqual(results, [...sizes.keys()]);
          assert.ok(most <= lanes + smallLanes);
        },
      ),
    );
  });
});
