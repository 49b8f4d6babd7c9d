import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { fatesOf, type Need } from '../../src/copy/fates.ts';
import { layer, type Part, task } from './corpus.ts';

interface NeedOptions {
  readonly held?: readonly Part[];
  readonly absent?: readonly Part[];
  readonly source?: string;
}

function need(destination: string, blobs: readonly Part[], options: NeedOptions = {}): Need {
  const { held = [], absent = [], source = 'src.test/app:1' } = options;
  return {
    task: task(source, destination),
    blobs,
    held: new Set(held.map(({ digest }) => digest)),
    absent: new Set(absent.map(({ digest }) => digest)),
  };
}

function counts(needs: readonly Need[]) {
  const { transferred, mounted, existing, unique, bytes } = fatesOf(needs);
  return { transferred, mounted, existing, unique, bytes };
}

const A = layer('a');
const B = layer('bb');

describe('The fates of blobs', () => {
  test('a blob that nobody has is sent once for each registry, and mounted from there', () => {
    const found = counts([
      need('one.test/x:1', [A]),
      need('one.test/y:1', [A]),
      need('one.test/z:1', [A]),
      need('two.test/x:1', [A]),
    ]);

    assert.deepEqual(found, {
      ...{ transferred: 2, mounted: 2, existing: 0, unique: 2 },
      bytes: 2 * A.size,
    });
  });

  test('a blob that one repository has is mounted for the others, and not sent', () => {
    const found = counts([
      need('one.test/x:1', [A]),
      need('one.test/y:1', [A], { held: [A] }),
      need('one.test/z:1', [A], { held: [A] }),
    ]);

    assert.deepEqual(found, { transferred: 0, mounted: 1, existing: 2, unique: 1, bytes: 0 });
  });

  test('a blob counts once for a repository, however many of its tags need it', () => {
    const found = counts([need('one.test/x:1', [A]), need('one.test/x:2', [A, B])]);

    assert.deepEqual(found, {
      ...{ transferred: 2, mounted: 0, existing: 0, unique: 2 },
      bytes: A.size + B.size,
    });
  });

  test('a blob whose source stands in the registry itself is mounted from there', () => {
    const near = need('one.test/x:1', [A], { source: 'one.test/old:1' });

    const found = counts([need('one.test/y:1', [A]), near]);

    assert.deepEqual(found, { transferred: 0, mounted: 2, existing: 0, unique: 1, bytes: 0 });
  });

  test('the first image that needs a blob is charged for it', () => {
    const first = need('one.test/x:1', [A]);
    const second = need('one.test/y:1', [A, B]);

    const fates = fatesOf([first, second]);

    assert.deepEqual([fates.bytesOf(first), fates.bytesOf(second)], [A.size, B.size]);
  });

  test('a foreign layer that no source has is neither sent nor mounted, and left to its addresses', () => {
    const foreign = layer('windows', ['https://layers.example/w']);
    const one = need('one.test/x:1', [foreign, B], { absent: [foreign] });

    const fates = fatesOf([one]);

    assert.deepEqual([fates.transferred, fates.unique, fates.bytes], [1, 2, B.size]);
    assert.deepEqual(fates.leftOf(one), [foreign]);
  });

  test('a foreign layer that the destination has already is mounted although no source has it', () => {
    const foreign = layer('windows', ['https://layers.example/w']);
    const here = need('one.test/x:1', [foreign], { held: [foreign] });
    const there = need('one.test/y:1', [foreign], { absent: [foreign] });

    const fates = fatesOf([there, here]);

    assert.deepEqual([fates.transferred, fates.mounted, fates.existing], [0, 1, 1]);
    assert.deepEqual(fates.leftOf(there), []);
  });

  test('do not depend on the order of the images', () => {
    const held = fc.dictionary(fc.constantFrom('x', 'y', 'z'), fc.subarray([A, B]));
    const wanted = fc.array(
      fc.record({ repository: fc.constantFrom('x', 'y', 'z'), blobs: fc.subarray([A, B]) }),
      { maxLength: 8 },
    );

    fc.assert(
      fc.property(held, wanted, fc.infiniteStream(fc.nat()), (there, images, keys) => {
        const needs = images.map(({ repository, blobs }, index) =>
          need(`one.test/${repository}:${index}`, blobs, { held: there[repository] ?? [] }),
        );
        const shuffled = needs
          .map((one) => ({ one, key: keys.next().value ?? 0 }))
          .sort((first, second) => first.key - second.key)
          .map(({ one }) => one);

        assert.deepEqual(counts(shuffled), counts(needs));
      }),
    );
  });
});
