import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  closeSlab,
  giveBack,
  isLent,
  lend,
  retain,
  roomFor,
  type Slab,
} from '../../src/registry/slab.ts';

function filled(): Slab {
  const slab = roomFor(undefined);
  lend(slab, slab.memory.byteLength);
  return slab;
}

/** All of a slab but the last bytes. */
function most(slab: Slab, left = 0): Uint8Array {
  return slab.memory.subarray(0, slab.memory.byteLength - left);
}

test('A slab is filled from its beginning to its end', () => {
  const slab = roomFor(undefined);

  const chunks = [lend(slab, 10), lend(slab, 20)];

  assert.deepEqual(
    chunks.map(({ byteOffset, byteLength }) => [byteOffset, byteLength]),
    [
      [0, 10],
      [10, 20],
    ],
  );
  assert.equal(roomFor(slab), slab);
  assert.ok(chunks.every(isLent));
});

test('A slab is filled from its beginning again once all of it came back', () => {
  const slab = filled();
  giveBack(most(slab));

  assert.equal(roomFor(slab), slab);
  assert.equal(slab.filled, 0);
});

test('A slab is not used again while a byte of it is out', () => {
  const slab = filled();
  giveBack(most(slab, 1));

  const others = Array.from({ length: 100 }, () => roomFor(undefined));
  assert.ok(!others.includes(slab));
  assert.notEqual(roomFor(slab), slab);

  giveBack(slab.memory.subarray(-1));
  assert.equal(roomFor(undefined), slab);
});

test('A slab is not used again while bytes of it are out for a second time', () => {
  const slab = filled();
  const kept = slab.memory.subarray(10, 20);
  retain(kept);
  giveBack(most(slab));

  assert.notEqual(roomFor(slab), slab);

  giveBack(kept);
  assert.equal(roomFor(undefined), slab);
});

test('A slab is not used again while it is received into', () => {
  const slab = filled();
  giveBack(most(slab));

  assert.ok(!Array.from({ length: 100 }, () => roomFor(undefined)).includes(slab));

  closeSlab(slab);
  assert.equal(roomFor(undefined), slab);
});

test('Memory that is no slab is nobody to give back to', () => {
  const chunk = new Uint8Array(10);

  retain(chunk);
  giveBack(chunk);

  assert.equal(isLent(chunk), false);
});
