import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { median, spreadOf } from './statistics.ts';

describe('the median', () => {
  it('is the value in the middle', () => {
    const value = median([9, 1, 5]);

    assert.equal(value, 5);
  });

  it('is the mean of the two in the middle where there is none', () => {
    const value = median([4, 1, 2, 9]);

    assert.equal(value, 3);
  });

  it('of nothing is not a number', () => {
    const value = median([]);

    assert.ok(Number.isNaN(value));
  });

  it('has as many values below as above it', () => {
    fc.assert(
      fc.property(fc.array(fc.integer(), { minLength: 1 }), (values) => {
        const middle = median(values);

        const below = values.filter((value) => value < middle).length;
        const above = values.filter((value) => value > middle).length;
        assert.ok(below <= values.length / 2 && above <= values.length / 2);
      }),
    );
  });
});

describe('the spread', () => {
  it('says from where to where values lie', () => {
    const spread = spreadOf([3, 1, 8]);

    assert.deepEqual(spread, { median: 3, least: 1, most: 8 });
  });
});
