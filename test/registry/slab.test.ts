import assert from 'node:assert/strict';
import { test } from 'node:test';
import { closeSlab, giveBack, lend, roomFor, type Slab, slabOf } from '../../src/registry/slab.ts';

function filled(): Slab {
  const slab = roomFor(undefined);
  lend(slab, slab.memory.byteLength);
  return slab;
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
  assert.equal(slabOf(chunks[0] as Uint8Array), slab);
});

test('A slab is filled from its beginning again once all of it came back', () => {
  const slab = filled();
  giveBack(slab, slab.memory.byteLength);

  assert.equal(roomFor(slab), slab);
  assert.equal(slab.filled, 0);
});

test('A slab is not used again while a byte of it is out', () => {
  const slab = filled();
  giveBack(slab, slab.memory.byteLength - 1);

  const others = Array.from({ length: 100 }, () => roomFor(undefined));
  assert.ok(!others.includes(slab));
  assert.notEqual(roomFor(slab), slab);

  giveBack(slab, 1);
  assert.equal(roomFor(undefined), slab);
});

test('A slab is not used again while it is received into', () => {
  const slab = filled();
  giveBack(slab, slab.memory.byteLength);

  assert.ok(!Array.from({ length: 100 }, () => roomFor(undefined)).includes(slab));

  closeSlab(slab);
  assert.equal(roomFor(undefined), slab);
});

test('Memory that is no slab is nobody to give back to', () => {
  assert.equal(slabOf(new Uint8Array(10)), undefined);
});
