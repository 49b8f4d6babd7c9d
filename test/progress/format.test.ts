import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  formatBar,
  formatBytes,
  formatDuration,
  formatPercent,
  formatRate,
  formatTimeLeft,
} from '../../src/progress/format.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

test('Bytes are printed in decimal units with one digit after the point', () => {
  const printed = [0, 1, 999, 1000, 12_345_678, 1_400_000_000, 2e12, 3e15, 4e18].map(formatBytes);

  assert.deepEqual(printed, [
    '0 B',
    '1 B',
    '999 B',
    '1.0 kB',
    '12.3 MB',
    '1.4 GB',
    '2.0 TB',
    '3.0 PB',
    '4.0 EB',
  ]);
});

test('A size that would be rounded to a thousand takes the next unit', () => {
  const printed = [999.6, 999_949, 999_950, 999_999_999].map(formatBytes);

  assert.deepEqual(printed, ['1.0 kB', '999.9 kB', '1.0 MB', '1.0 GB']);
});

test('No size that a registry can hold needs more than eight characters', () => {
  fc.assert(
    fc.property(fc.maxSafeNat(), (bytes) => {
      assert.match(formatBytes(bytes), /^\d{1,3}( B|\.\d [kMGTP]B)$/);
      assert.ok(formatBytes(bytes).length <= 8);
    }),
  );
});

test('A negative size is printed as nothing', () => {
  assert.equal(formatBytes(-5), '0 B');
});

test('A rate is a size in a second', () => {
  assert.equal(formatRate(84_100_000), '84.1 MB/s');
});

test('A duration is printed with its two largest units', () => {
  const printed = [
    0,
    400,
    4_200,
    45 * SECOND,
    2 * MINUTE + 5 * SECOND,
    HOUR + 2 * MINUTE,
    3 * DAY + 4 * HOUR,
  ].map(formatDuration);

  assert.deepEqual(printed, ['0.0s', '0.4s', '4.2s', '45s', '2m 05s', '1h 02m', '3d 04h']);
});

test('A duration that is rounded up to a whole unit takes that unit', () => {
  const printed = [9_960, 59_600, HOUR - 1, DAY - 1].map(formatDuration);

  assert.deepEqual(printed, ['10s', '1m 00s', '1h 00m', '1d 00h']);
});

test('No duration below a hundred days needs more than seven characters', () => {
  fc.assert(
    fc.property(fc.integer({ min: -1, max: 99 * DAY }), (duration) => {
      assert.ok(formatDuration(duration).length <= 7);
      assert.match(
        formatDuration(duration),
        /^(\d\.\ds|\d{2}s|\d{1,2}m \d{2}s|\d{1,2}h \d{2}m|\d{1,2}d \d{2}h)$/,
      );
    }),
  );
});

test('Time left is coarser the longer it is', () => {
  const printed = [
    0,
    300,
    44_400,
    2 * MINUTE + 7 * SECOND,
    12 * MINUTE + 40 * SECOND,
    3 * HOUR + 18 * MINUTE,
    2 * DAY + 90 * MINUTE,
  ].map(formatTimeLeft);

  assert.deepEqual(printed, ['1s', '1s', '44s', '2m 05s', '13m', '3h 20m', '2d 02h']);
});

test('Time left is rounded over the borders of its units without a gap', () => {
  const printed = [59_700, 10 * MINUTE - 1, HOUR - 1, DAY - 1].map(formatTimeLeft);

  assert.deepEqual(printed, ['1m 00s', '10m', '1h 00m', '1d 00h']);
});

test('A small change of a long time left is not shown', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 11, max: 59 }),
      fc.integer({ min: -25, max: 25 }),
      (minutes, seconds) => {
        const around = minutes * MINUTE + seconds * SECOND;

        assert.equal(formatTimeLeft(around), formatTimeLeft(minutes * MINUTE));
      },
    ),
  );
});

test('A hundred percent means all of it', () => {
  const printed = [
    formatPercent(0, 10),
    formatPercent(9_999, 10_000),
    formatPercent(10, 10),
    formatPercent(11, 10),
    formatPercent(-1, 10),
    formatPercent(0, 0),
  ];

  assert.deepEqual(printed, ['  0%', ' 99%', '100%', '100%', '  0%', '100%']);
});

test('A bar always has its width, and is full only at the end', () => {
  fc.assert(
    fc.property(fc.nat(200), fc.nat(100), fc.nat(60), (part, whole, width) => {
      const bar = formatBar(part, whole, width);

      assert.equal(bar.length, width);
      assert.equal(bar.includes('─'), width > 0 && whole > 0 && part < whole);
    }),
  );
});
