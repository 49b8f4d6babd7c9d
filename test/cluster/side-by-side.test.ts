import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { sideBySide } from '../../src/cluster/side-by-side.ts';

describe('work side by side', () => {
  it('gives the results in the order of the items, never more at once than it may', async () => {
    let running = 0;
    let most = 0;

    const results = await sideBySide([5, 1, 4, 2, 3], 2, async (turns) => {
      running += 1;
      most = Math.max(most, running);
      for (let count = 0; count < turns; count += 1) await turn();
      running -= 1;
      return turns * 10;
    });

    assert.deepEqual(results, [50, 10, 40, 20, 30]);
    assert.equal(most, 2);
  });

  it('stops the others at the first failure, and starts no more', async () => {
    const started: number[] = [];
    const stopped: number[] = [];
    const failure = new Error('broken');

    const work = sideBySide([0, 1, 2, 3], 2, async (item, signal) => {
      started.push(item);
      if (item === 0) throw failure;
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      stopped.push(item);
      signal.throwIfAborted();
    });

    await assert.rejects(work, failure);
    assert.deepEqual(started, [0, 1]);
    assert.deepEqual(stopped, [1]);
  });

  it('stops with the reason of the signal that it is given', async () => {
    const reason = new Error('interrupted');
    const stop = new AbortController();

    const work = sideBySide(
      [0],
      2,
      async (_, signal) => {
        stop.abort(reason);
        signal.throwIfAborted();
      },
      stop.signal,
    );

    await assert.rejects(work, reason);
  });
});
