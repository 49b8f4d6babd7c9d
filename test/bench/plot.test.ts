import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { axisFor, tickText } from './axis.ts';
import { plotGrowth } from './plot-growth.ts';
import { plotRatios } from './plot-ratios.ts';
import type { Results, Run } from './record.ts';

function results(kind: Results['kind'], runs: readonly Run[]): Results {
  const machine = { processor: 'x', cores: 2, memoryBytes: 1, kernel: '6', node: 'v24' };
  const fixed = { version: 1, date: '2026-11-24', scale: 'small', workers: 7 } as const;
  return { ...fixed, kind, machine, link: { roundTripMs: 40 }, versions: {}, totals: {}, runs };
}

function run(tool: string, wallMs: number, point: { axis?: string; value?: number } = {}): Run {
  const traffic = { requests: 10, classes: {}, bodyBytes: 0, connections: 2 };
  return {
    ...{ name: 'cluster <fresh>', tool, round: 1, faults: [], command: '', exit: 0, output: '' },
    wallMs,
    cpuMs: { tool: 100, source: 0, destination: 0, link: 0, other: 0 },
    peakBytes: { tree: 50e6, largest: 20e6 },
    ...{ bytesSent: 1, bytesReceived: 1, source: traffic, destination: traffic },
    ...point,
  };
}

describe('an axis', () => {
  it('begins at zero and ends at a round number beyond the largest value', () => {
    const { ticks, place } = axisFor([3, 47]);

    assert.deepEqual(ticks, [0, 10, 20, 30, 40, 50]);
    assert.equal(place(25), 0.5);
  });

  it('goes by powers of ten where values are far apart', () => {
    const { ticks, place } = axisFor([2, 4_000]);

    assert.deepEqual(ticks, [1, 10, 100, 1000, 10_000]);
    assert.equal(place(100), 0.5);
  });

  it('of nothing but zero is one tick', () => {
    assert.deepEqual(axisFor([0, 0]).ticks, [0]);
  });

  it('names its ticks shortly', () => {
    assert.deepEqual([0.30000000000000004, 12_500].map(tickText), ['0.3', '12,500']);
  });
});

describe('the plot of ratios', () => {
  it('has a bar with its number and its link for each case, and names are escaped', () => {
    const all = [results('comparison', [run('migrate-images', 100), run('crane-parallel', 300)])];

    const svg = plotRatios(all, 'wall') ?? '';

    assert.match(svg, /3\.00 \(crane-parallel\)/);
    assert.match(svg, /cluster &lt;fresh&gt;, small, 40 ms/);
    assert.equal(svg.match(/<rect /g)?.length, 1);
  });

  it('is not drawn without a comparison', () => {
    const svg = plotRatios([results('growth', [])], 'wall');

    assert.equal(svg, undefined);
  });

  it('follows the scheme of its reader', () => {
    const all = [results('comparison', [run('migrate-images', 100), run('crane-parallel', 50)])];

    const svg = plotRatios(all, 'wall') ?? '';

    assert.match(svg, /prefers-color-scheme: dark/);
  });
});

describe('the plots of growth', () => {
  it('are one for each axis, with the unlimited rate last', () => {
    const points = [0, 10, 100].map((value) => run('migrate-images', 100, { axis: 'rate', value }));
    const more = run('migrate-images', 100, { axis: 'rtt', value: 20 });

    const plots = plotGrowth([results('growth', [...points, more])]);

    assert.deepEqual(
      plots.map(({ axis }) => axis),
      ['rate', 'rtt'],
    );
    const names = [...(plots[0]?.svg ?? '').matchAll(/>(10|100|no limit)<\/text>/g)];
    assert.equal(names.at(-1)?.[1], 'no limit');
  });
});
