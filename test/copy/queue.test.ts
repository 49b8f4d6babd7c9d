import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { Queue, type Turn, type Work } from '../../src/copy/queue.ts';

/** Work that ends when it is told to, and notes when it began. */
function openWork(queue: Queue) {
  const begun: string[] = [];
  const turns = new Map<string, Turn<void>>();
  const gates = new Map<string, () => void>();
  const results: Promise<void>[] = [];
  return {
    begun,
    add(name: string, size: number, more: Partial<Work<void>> = {}): void {
      const gate = Promise.withResolvers<void>();
      gates.set(name, gate.resolve);
      const run = () => {
        begun.push(name);
        return gate.promise;
      };
      const turn = queue.enter({ size, ...more, run });
      turns.set(name, turn);
      results.push(turn.result);
    },
    hurry(name: string): void {
      turns.get(name)?.hurry();
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

  test('lets early work wait, and fills empty lanes with it', async () => {
    const work = openWork(new Queue({ lanes: 2 }));
    work.add('due 1', 1_000);
    work.add('early 1', 10, { early: true });
    work.add('early 2', 10, { early: true });
    work.add('due 2', 10);

    assert.deepEqual(work.begun, ['due 1', 'early 1']);
    await work.end('early 1');
    assert.deepEqual(work.begun, ['due 1', 'early 1', 'due 2']);
    await work.endAll();
    assert.deepEqual(work.begun, ['due 1', 'early 1', 'due 2', 'early 2']);
  });

  test('takes early work that is in a hurry like any other, and only once', async () => {
    const work = openWork(new Queue({ lanes: 1 }));
    work.add('first', 1_000);
    work.add('early 1', 10, { early: true });
    work.add('early 2', 20, { early: true });
    work.add('due', 5);

    work.hurry('early 1');
    work.hurry('early 1');
    work.hurry('first');

    await work.endAll();
    assert.deepEqual(work.begun, ['first', 'early 1', 'due', 'early 2']);
  });

  test('does not let early work wait that would end last', async () => {
    const work = openWork(new Queue({ lanes: 2 }));
    work.add('first', 100);
    work.add('second', 100);
    work.add('early', 5_000, { early: true });
    for (const name of ['a', 'b', 'c']) work.add(name, 10);

    await work.end('first');

    assert.equal(work.begun.at(-1), 'early');
    await work.endAll();
  });

  test('keeps no host busier than it may, and the others no idler', async () => {
    const work = openWork(new Queue({ lanes: 4, perHost: { lanes: 2 } }));
    for (const name of ['a1', 'a2', 'a3']) work.add(name, 100, { hosts: ['a', 'z'] });
    work.add('b1', 10, { hosts: ['b', 'z'] });
    work.add('c1', 10, { hosts: ['c'] });
    work.add('none', 1);

    assert.deepEqual(work.begun, ['a1', 'a2', 'c1', 'none']);
    await work.end('a1');
    assert.deepEqual(work.begun, ['a1', 'a2', 'c1', 'none', 'a3']);
    await work.endAll();
    assert.equal(work.begun.length, 6);
  });

  test('keeps small lanes apart for each host, too', async () => {
    const perHost = { lanes: 1, smallLanes: 1 };
    const work = openWork(new Queue({ lanes: 9, smallLanes: 9, smallBelow: 64, perHost }));
    for (const name of ['large 1', 'large 2']) work.add(name, 100, { hosts: ['a'] });
    for (const name of ['small 1', 'small 2']) work.add(name, 10, { hosts: ['a'] });

    assert.deepEqual(work.begun, ['large 1', 'small 1']);
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
