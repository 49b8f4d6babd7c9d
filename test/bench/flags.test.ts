import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readFlags } from './flags.ts';
import { growthTrials } from './growth.ts';
import { jobsOf } from './job.ts';

describe('the flags of the benchmark', () => {
  it('have defaults that finish in minutes', () => {
    const flags = readFlags([]);

    assert.equal(flags.scale, 'small');
    assert.equal(flags.rounds, 3);
    assert.equal(flags.bitsPerSecond, undefined);
    assert.equal(flags.tools, undefined);
    assert.equal(flags.tls, false);
    assert.equal(flags.axes, undefined);
  });

  it('give rates in megabits and lists with commas', () => {
    const flags = readFlags(['--rate', '200', '--tools', 'crane,oras-parallel']);

    assert.equal(flags.bitsPerSecond, 200e6);
    assert.deepEqual(flags.tools, ['crane', 'oras-parallel']);
  });

  it('let growth run with our tool alone, along all axes', () => {
    const flags = readFlags(['--growth']);

    assert.deepEqual(flags.tools, ['migrate-images']);
    assert.deepEqual(flags.axes, ['images', 'workers', 'rtt', 'rate', 'layer']);
  });

  for (const [words, message] of [
    [['--scale', 'huge'], /--scale is one of small, medium, large, not huge/],
    [['--rtt', 'far'], /--rtt wants a number, not "far"/],
    [['--growth', '--axes', 'color'], /--axes is one of images, /],
    [['--what'], /--what/],
  ] as const)
    it(`refuse ${words.join(' ')}`, () => {
      assert.throws(() => readFlags(words), message);
    });
});

describe('jobs', () => {
  it('are sets, alone or joined', () => {
    const jobs = jobsOf('edge,edge+tags', 'small');

    const found = jobs.map(({ name, recipes, repository }) => [name, recipes.length, repository]);
    assert.deepEqual(found, [
      ['edge', 12, undefined],
      ['edge+tags', 212, undefined],
    ]);
  });

  it('of several tags of one repository are the whole repository', () => {
    const [job] = jobsOf('tags', 'small');

    assert.equal(job?.repository, 'tags/many');
  });

  it('are refused where a set is not known', () => {
    assert.throws(() => jobsOf('cluster,moon', 'small'), /there is no set moon/);
  });
});

describe('growth', () => {
  const options = { scale: 'small', workers: 7, roundTripMs: 0, bitsPerSecond: undefined } as const;

  it('varies one thing and leaves the others', () => {
    const trials = growthTrials('workers', [1, 64], { ...options, roundTripMs: 20 });

    assert.deepEqual(
      trials.map(({ workers, link }) => [workers, link?.roundTripMs]),
      [
        [1, 20],
        [64, 20],
      ],
    );
  });

  it('uses no relay where there is nothing to emulate', () => {
    const links = growthTrials('rate', [10, 0], options).map(({ link }) => link);

    assert.deepEqual(links, [{ roundTripMs: 0, bitsPerSecond: 10e6 }, undefined]);
  });

  it('gives each number of images a job of that size', () => {
    const sizes = growthTrials('images', [3, 8], options).map(({ job }) => job.recipes.length);

    assert.deepEqual(sizes, [3, 8]);
  });
});
