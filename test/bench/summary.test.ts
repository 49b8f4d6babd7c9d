import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isDisturbed, type Run } from './record.ts';
import { ratiosOf, summarize } from './summary.ts';
import { casesTable, ratiosTable } from './table.ts';

function run(tool: string, wallMs: number, fields: Partial<Run> = {}): Run {
  const traffic = { requests: 10, classes: {}, bodyBytes: 0, connections: 2 };
  return {
    ...{ name: 'cluster fresh', tool, round: 1, faults: [], command: tool, exit: 0, output: '' },
    wallMs,
    cpuMs: { tool: wallMs / 2, source: 0, destination: 0, link: 0, other: 0 },
    peakBytes: { tree: 50e6, largest: 20e6 },
    ...{ bytesSent: 1e6, bytesReceived: 1e6, source: traffic, destination: traffic },
    ...fields,
  };
}

describe('a summary', () => {
  it('has a row for each tool of a case, the fastest first', () => {
    const runs = [run('slow', 900), run('quick', 100), run('slow', 700), run('quick', 300)];

    const rows = summarize(runs);

    const found = rows.map(({ tool, runs: count, wallMs }) => [tool, count, wallMs.median]);
    assert.deepEqual(found, [
      ['quick', 2, 200],
      ['slow', 2, 800],
    ]);
  });

  it('keeps points of an axis apart', () => {
    const runs = [1, 64].map((value) => run('quick', 100, { axis: 'workers', value }));

    const rows = summarize(runs);

    assert.equal(rows.length, 2);
  });

  it('compares with the best peer of each measure', () => {
    const runs = [run('migrate-images', 100), run('one', 300), run('other', 200)];

    const ratios = ratiosOf(summarize(runs));

    const wall = ratios.find(({ measure }) => measure === 'wall');
    assert.deepEqual(wall, { name: 'cluster fresh', measure: 'wall', peer: 'other', ratio: 2 });
  });

  it('takes no peer for a measure that did not copy everything', () => {
    const runs = [run('migrate-images', 100), run('one', 300), run('other', 50, { faults: ['x'] })];

    const ratios = ratiosOf(summarize(runs));

    assert.deepEqual([...new Set(ratios.map(({ peer }) => peer))], ['one']);
  });

  it('shows losses as ratios below one', () => {
    const runs = [run('migrate-images', 200), run('one', 100)];

    const table = ratiosTable(ratiosOf(summarize(runs)));

    assert.match(table, /\| cluster fresh \| wall \| one \| 0\.50 \|/);
  });

  it('says in its table which runs were disturbed and which images were wrong', () => {
    const cpuMs = { tool: 50, source: 0, destination: 0, link: 0, other: 900 };
    const runs = [run('one', 100, { cpuMs, faults: ['a', 'b'] }), run('one', 300)];

    const table = casesTable(summarize(runs));

    assert.match(table, /\| one \| 2 \(1 disturbed\) \| 0\.20 \(0\.10–0\.30\) \|/);
    assert.match(table, /\| 2 \|$/m);
  });
});

describe('a run', () => {
  it('is disturbed when other work took more than a tenth of its time', () => {
    const cpuMs = (other: number) => ({ tool: 0, source: 0, destination: 0, link: 0, other });

    const found = [500, 1200].map((other) =>
      isDisturbed(run('one', 10_000, { cpuMs: cpuMs(other) })),
    );

    assert.deepEqual(found, [false, true]);
  });
});
