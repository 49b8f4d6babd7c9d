import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { handClock } from './hand-clock.ts';
import { openFlow, WINDOW_BYTES } from './relay-flow.ts';
import { BUFFER_MS, openLine } from './relay-line.ts';

const KILOBYTE = new Uint8Array(1000);

interface SetUp {
  readonly rate?: number;
  readonly delay?: number;
  readonly readyAt?: number;
  /** the receiver takes nothing until `take` is called */
  readonly slow?: boolean;
}

function setUp({ rate, delay = 0, readyAt = 0, slow = false }: SetUp) {
  const clock = handClock();
  const arrivals: (number | 'end')[] = [];
  const holds: boolean[] = [];
  const waiting: (() => void)[] = [];
  const line = openLine(rate, clock);
  const flow = openFlow({
    ...{ line, clock, delay, readyAt },
    sink: {
      write: (_, written) => {
        arrivals.push(clock.now());
        if (slow) waiting.push(written);
        else written();
      },
      end: () => void arrivals.push('end'),
    },
    hold: (isHeld) => void holds.push(isHeld),
  });
  return { clock, arrivals, holds, line, flow, take: () => waiting.shift()?.() };
}

describe('a flow', () => {
  it('delivers bytes after its delay, and not before', () => {
    const { clock, arrivals, flow } = setUp({ delay: 20 });
    flow.push(KILOBYTE);

    clock.advance(19);
    const early = [...arrivals];
    clock.advance(1);

    assert.deepEqual(early, []);
    assert.deepEqual(arrivals, [20]);
  });

  it('delivers at once where nothing is emulated', () => {
    const { arrivals, flow } = setUp({});

    flow.push(KILOBYTE);

    assert.deepEqual(arrivals, [0]);
  });

  it('carries nothing while its connection is being opened', () => {
    const { clock, arrivals, flow } = setUp({ delay: 20, readyAt: 40 });
    flow.push(KILOBYTE);

    clock.advance(100);

    assert.deepEqual(arrivals, [60]);
  });

  it('lets bytes leave one behind the other at the rate of the line', () => {
    const { clock, arrivals, flow } = setUp({ rate: 100, delay: 5 });
    for (let count = 0; count < 3; count += 1) flow.push(KILOBYTE);

    clock.advance(100);

    assert.deepEqual(arrivals, [15, 25, 35]);
  });

  it('shares its line with other connections', () => {
    const { clock, arrivals, flow, line } = setUp({ rate: 100 });
    line.take(5_000);
    flow.push(KILOBYTE);

    clock.advance(100);

    assert.deepEqual(arrivals, [60]);
  });

  it('ends behind all bytes', () => {
    const { clock, arrivals, flow } = setUp({ delay: 20 });
    flow.push(KILOBYTE);
    flow.end();

    clock.advance(20);

    assert.deepEqual(arrivals, [20, 'end']);
  });

  it('holds the sender while more waits for the line than a router would keep', () => {
    const { clock, holds, flow } = setUp({ rate: 1 });
    flow.push(KILOBYTE);
    const first = [...holds];

    clock.advance(1000 - BUFFER_MS - 1);
    const before = [...holds];
    clock.advance(1000);

    assert.deepEqual(first, [true]);
    assert.deepEqual(before, [true]);
    assert.deepEqual(holds, [true, false]);
  });

  it('holds the sender when the receiver takes nothing, so that memory stays bounded', () => {
    const { holds, flow, take } = setUp({ slow: true });
    const half = new Uint8Array(WINDOW_BYTES / 2);
    flow.push(half);
    const one = [...holds];
    flow.push(half);
    const two = [...holds];

    take();

    assert.deepEqual(one, []);
    assert.deepEqual(two, [true]);
    assert.deepEqual(holds, [true, false]);
  });
});
