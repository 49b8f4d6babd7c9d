import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { startMeter } from '../../src/progress/meter.ts';

test('A steady stream has its pace as rate', () => {
  const meter = startMeter(0);

  for (let second = 1; second <= 60; second += 1) meter.note(second * 500, second * 1000);

  assert.equal(meter.rate(60_000), 500);
  assert.equal(meter.timeFor(1500, 60_000), 3000);
});

test('In the first second there is no rate yet', () => {
  const meter = startMeter(0);

  meter.note(1000, 900);

  assert.equal(meter.rate(900), undefined);
  assert.equal(meter.timeFor(1, 900), undefined);
});

test('A stream that stops falls to nothing within the window', () => {
  const meter = startMeter(0);
  meter.note(1000, 1000);
  meter.note(2000, 2000);

  const rates = [2_000, 4_000, 10_000].map((now) => meter.rate(now));

  assert.deepEqual(rates, [1000, 500, 0]);
});

test('A stream that goes on after a long pause has its new rate within the window', () => {
  const meter = startMeter(0);
  meter.note(1000, 1000);

  for (let now = 100_000; now <= 106_000; now += 100) meter.note(1000 + now - 100_000, now);

  const rate = meter.rate(106_000) ?? 0;
  assert.ok(rate > 990 && rate < 1060, `${rate}`);
});

test('One slow second changes the forecast less than the rate', () => {
  const meter = startMeter(0);
  for (let second = 1; second <= 30; second += 1) meter.note(second * 1000, second * 1000);
  const before = meter.timeFor(60_000, 30_000) ?? 0;

  meter.note(30_000, 32_000);

  const after = meter.timeFor(60_000, 32_000) ?? 0;
  const rate = meter.rate(32_000) ?? 0;
  assert.equal(before, 60_000);
  assert.ok(rate <= 600, `${rate}`);
  assert.ok(after < before * 1.1, `${after}`);
});

test('What never moved has no time left to tell', () => {
  const meter = startMeter(0);

  assert.equal(meter.timeFor(1000, 50_000), undefined);
});

test('No rate is negative, whatever the pauses', () => {
  const steps = fc.array(fc.tuple(fc.nat(20_000), fc.nat(1e9)), { maxLength: 200 });
  fc.assert(
    fc.property(steps, (pairs) => {
      const meter = startMeter(0);
      let now = 0;
      let bytes = 0;
      for (const [pause, more] of pairs) {
        now += pause;
        bytes += more;
        meter.note(bytes, now);
        assert.ok((meter.rate(now) ?? 0) >= 0);
        assert.ok((meter.timeFor(more, now) ?? 0) >= 0);
      }
    }),
  );
});
