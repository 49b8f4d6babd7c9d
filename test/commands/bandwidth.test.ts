import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseBandwidth } from '../../src/commands/copy/bandwidth.ts';

for (const [text, bytes] of Object.entries({
  '50MiB/s': 52_428_800,
  '50 MiB/s': 52_428_800,
  '50MB/s': 50_000_000,
  '1.5GiB/s': 1_610_612_736,
  '400Mbit/s': 50_000_000,
  '64Ki': 65_536,
  '1000000': 1_000_000,
}))
  test(`--max-bandwidth ${text} is ${bytes} bytes a second`, () => {
    assert.equal(parseBandwidth(text), bytes);
  });

for (const text of ['', '0', 'fast', '50XB/s', '-5M', '5MiB/min', '0.1'])
  test(`--max-bandwidth "${text}" is refused with an example`, () => {
    assert.throws(() => parseBandwidth(text), /is not a rate such as 50MiB\/s/);
  });
