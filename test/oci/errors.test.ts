import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  DigestMismatchError,
  InvalidManifestError,
  isTransient,
  storeErrorIn,
} from '../../src/oci/errors.ts';

test("A store's own error is found behind any number of causes", () => {
  const own = new DigestMismatchError('sha256:a', 'sha256:b');
  const wrapped = new Error('outer', { cause: new TypeError('inner', { cause: own }) });

  assert.equal(storeErrorIn(wrapped), own);
  assert.equal(storeErrorIn(own), own);
  assert.equal(isTransient(wrapped), true);
});

test('Where there is none, nothing may be tried again', () => {
  for (const error of [
    new Error('x'),
    new Error('x', { cause: 'text' }),
    'text',
    undefined,
    null,
  ]) {
    assert.equal(storeErrorIn(error), undefined);
    assert.equal(isTransient(error), false);
  }
});

test('An error of a store promises nothing unless it says so', () => {
  const error = new InvalidManifestError('broken');

  const { transient, forbidden, missing, incomplete, code } = error;
  assert.deepEqual(
    { transient, forbidden, missing, incomplete, code },
    {
      transient: false,
      forbidden: false,
      missing: false,
      incomplete: false,
      code: 'MANIFEST_INVALID',
    },
  );
});
