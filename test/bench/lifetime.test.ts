import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { openLifetime } from './lifetime.ts';

describe('a lifetime', () => {
  it('ends what is left, the youngest first', async () => {
    const lifetime = openLifetime();
    const ended: string[] = [];
    lifetime.add(async () => ended.push('folder'));
    const close = lifetime.add(async () => ended.push('registry'));
    lifetime.add(async () => ended.push('relay'));

    await close();
    await lifetime.end();

    assert.deepEqual(ended, ['registry', 'relay', 'folder']);
  });

  it('ends the others when one fails, and says so', async (t) => {
    const said = t.mock.method(console, 'error', () => undefined);
    const lifetime = openLifetime();
    const ended: string[] = [];
    lifetime.add(async () => ended.push('folder'));
    lifetime.add(async () => {
      throw new Error('it would not');
    });

    await lifetime.end();

    assert.deepEqual(ended, ['folder']);
    assert.deepEqual(said.mock.calls[0]?.arguments, ['could not clean up: it would not']);
  });
});
