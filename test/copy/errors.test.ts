import assert from 'node:assert/strict';
import { test } from 'node:test';
import { at, CopyError, InterruptedError, isAbort } from '../../src/copy/errors.ts';
import { storeErrorIn } from '../../src/oci/errors.ts';
import { parseReference } from '../../src/oci/reference.ts';
import { MemoryError } from '../support/memory.ts';

const source = parseReference('nginx:1');
const destination = parseReference('reg.io/team/nginx:1');

test('An error says at which side and with which image it happened', async () => {
  const cause = new MemoryError('DENIED', 'forbidden');

  const failing = at('source', source, () => Promise.reject(cause));

  await assert.rejects(failing, (error) => {
    assert.ok(error instanceof CopyError);
    assert.equal(error.message, 'source docker.io/library/nginx:1: refused with DENIED');
    assert.equal(error.side, 'source');
    assert.equal(storeErrorIn(error), cause);
    return true;
  });
});

test('The side that is nearest to the fault is the one that is named', async () => {
  const inner = () => at('source', source, () => Promise.reject(new Error('gone')));

  await assert.rejects(at('destination', destination, inner), { side: 'source' });
});

test('An interruption is nobody’s fault', async () => {
  const aborted = AbortSignal.abort();

  const failing = at('source', source, async () => aborted.throwIfAborted());

  await assert.rejects(failing, { name: 'AbortError' });
  assert.equal(isAbort(new InterruptedError()), true);
  assert.equal(isAbort(new Error('AbortError')), false);
  assert.equal(isAbort('AbortError'), false);
});

test('What is thrown and is no error is told as it is', async () => {
  await assert.rejects(
    at('destination', destination, () => Promise.reject('a text')),
    { message: 'destination reg.io/team/nginx:1: a text' },
  );
});
