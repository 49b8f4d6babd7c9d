import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { openSlots } from '../../src/progress/slots.ts';

test('What stays keeps its place, and what is new takes the first free one', () => {
  const slots = openSlots<string>(3);

  slots.arrange(['a', 'b', 'c']);

  assert.deepEqual(slots.arrange(['b', 'c']), [undefined, 'b', 'c']);
  assert.deepEqual(slots.arrange(['b', 'c', 'd']), ['d', 'b', 'c']);
});

test('What finds no place gets one as soon as one is free', () => {
  const slots = openSlots<string>(1);

  assert.deepEqual(slots.arrange(['a', 'b']), ['a']);
  assert.deepEqual(slots.arrange(['b']), ['b']);
});

test('Where there are too few places, the first ones have them', () => {
  const slots = openSlots<string>(2);
  slots.arrange(['a', 'b']);

  assert.deepEqual(slots.arrange(['b', 'c', 'a']), ['c', 'b']);
});

test('Nothing ever stands in two places or moves to another', () => {
  fc.assert(
    fc.property(
      fc.array(fc.uniqueArray(fc.nat(8), { maxLength: 5 }), { maxLength: 20 }),
      (rounds) => {
        const slots = openSlots<number>(5);
        let before: readonly (number | undefined)[] = [];
        for (const round of rounds) {
          const places = slots.arrange(round);
          const seated = places.filter((item) => item !== undefined);
          assert.deepEqual(seated.toSorted(), round.toSorted());
          for (const item of seated)
            if (before.includes(item)) assert.equal(places.indexOf(item), before.indexOf(item));
          before = places;
        }
      },
    ),
  );
});
