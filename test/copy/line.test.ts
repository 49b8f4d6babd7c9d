import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Line } from '../../src/copy/line.ts';

test('A line gives out what came first, whatever comes in between', () => {
  fc.assert(
    fc.property(fc.array(fc.boolean(), { maxLength: 5_000, size: 'max' }), (steps) => {
      const line = new Line<number>();
      const model: number[] = [];
      for (const [number, comes] of steps.entries()) {
        if (comes) {
          line.push(number);
          model.push(number);
        } else assert.equal(line.shift(), model.shift());
      }
      while (model.length > 0) assert.equal(line.shift(), model.shift());
      assert.equal(line.shift(), undefined);
    }),
    { numRuns: 30 },
  );
});
