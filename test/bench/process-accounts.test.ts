import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { startProcess } from '../support/process.ts';
import {
  busyMs,
  childrenCpuMs,
  ownCpuMs,
  peakOf,
  residentOf,
  transferOf,
  treeOf,
} from './process-accounts.ts';

// Fields 14 to 17 are the CPU of the process and of its children, in hundredths of a second.
const STAT = '77 (a) b (c) S 1 77 77 0 -1 4194304 100 0 0 0 150 50 7 3 20 0 1 0 100 1000 10';

describe('the accounts of a process', () => {
  it('are read behind a name with blanks and brackets', () => {
    const cpu = [ownCpuMs(STAT), childrenCpuMs(STAT)];

    assert.deepEqual(cpu, [2000, 100]);
  });

  it('count the machine as busy when it neither idles nor waits for a disk', () => {
    const busy = busyMs('cpu  100 10 50 9999 8888 5 5 30 77 0\ncpu0 1 1 1 1\n');

    assert.equal(busy, 2000);
  });

  it('of one that is gone are nothing', () => {
    const gone = 2 ** 22 + 1;

    assert.equal(residentOf(gone), 0);
    assert.deepEqual(transferOf(gone), { read: 0, written: 0 });
    assert.deepEqual(treeOf(gone), [gone]);
  });

  it('find what a process has started, and what that has started', async (t) => {
    const child = await startProcess({
      command: 'sh',
      arguments: ['-c', "sh -c 'echo inner $$; exec sleep 60' & trap 'kill $!' TERM; wait; wait"],
      ready: /inner (\d+)/,
    });
    t.after(() => child.end());

    const tree = treeOf(process.pid);

    assert.ok(tree.includes(child.pid));
    assert.ok(tree.includes(Number(child.ready[1])));
  });

  it('know the memory that a process has and had', () => {
    const now = residentOf(process.pid);
    const peak = peakOf(process.pid);

    assert.ok(now > 1e6);
    assert.ok(peak >= now * 0.9);
  });
});
