import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, test } from 'node:test';
import { RegistryError } from '../../src/registry/errors.ts';
import { REGISTRIES } from '../registry-support/registries.ts';
import { pushBlob } from '../support/images-push.ts';
import { startRegistry } from '../support/registry.ts';
import type { Fault } from '../support/registry-faults.ts';
import { content, failureOf, open, openBare } from './opening.ts';

const BLOB = content(randomBytes(300_000));
const SIZE = BLOB.bytes.length;

for (const { name, skip, start } of REGISTRIES)
  test(`${name} tells the size of a blob, also of an empty one, and that there is none`, {
    skip,
  }, async (t) => {
    const registry = await start();
    t.after(() => registry.close());
    const empty = content('');
    for (const { descriptor, bytes } of [BLOB, empty])
      await pushBlob(registry, 'team/app', { ...descriptor, bytes });
    const repository = await open(t, registry);

    const sizes = [
      await repository.statBlob(BLOB.descriptor),
      await repository.statBlob(empty.descriptor),
      await repository.statBlob(content('nobody has this').descriptor),
    ];

    assert.deepEqual(sizes, [SIZE, 0, undefined]);
  });

describe('The size of a blob', () => {
  for (const [what, faults] of [
    ['a HEAD is not understood', [{ method: 'HEAD', answer: { status: 405 } }]],
    ['a HEAD does not give it', [{ method: 'HEAD', headers: { 'content-length': undefined } }]],
    ['nothing gives it', [{ headers: { 'content-length': undefined } }]],
    [
      'the storage behind a redirect takes no HEAD',
      [
        { method: 'HEAD', class: 'elsewhere', answer: { status: 403 } },
        { class: 'blob', redirect: 307 },
      ],
    ],
  ] as const satisfies readonly (readonly [string, readonly Fault[]])[])
    test(`is found by one GET where ${what}`, async (t) => {
      const registry = await startRegistry();
      t.after(() => registry.close());
      await pushBlob(registry, 'team/app', { ...BLOB.descriptor, bytes: BLOB.bytes });
      registry.faults.add(...faults);

      const size = await openBare(t, registry).statBlob(BLOB.descriptor);

      await registry.settle();
      assert.equal(size, SIZE);
      assert.deepEqual(
        registry.log.select(undefined, 'blob').map(({ method }) => method),
        ['HEAD', 'GET'],
      );
    });

  test('is asked for once where a HEAD gives it', async (t) => {
    const registry = await startRegistry();
    t.after(() => registry.close());
    await pushBlob(registry, 'team/app', { ...BLOB.descriptor, bytes: BLOB.bytes });

    await openBare(t, registry).statBlob(BLOB.descriptor);

    await registry.settle();
    assert.deepEqual(registry.log.summary(), ['HEAD blob 200']);
  });

  test('is none where a HEAD is not understood and a GET finds nothing', async (t) => {
    const registry = await startRegistry();
    t.after(() => registry.close());
    registry.faults.add({ method: 'HEAD', answer: { status: 405 } });

    const size = await openBare(t, registry).statBlob(BLOB.descriptor);

    assert.equal(size, undefined);
  });

  for (const status of [403, 500])
    test(`is not known where the registry answers ${status}`, async (t) => {
      const registry = await startRegistry();
      t.after(() => registry.close());
      registry.faults.add({ class: 'blob', answer: { status } });

      const failure = await failureOf(openBare(t, registry).statBlob(BLOB.descriptor));

      assert.ok(failure instanceof RegistryError);
      assert.equal(failure.status, status);
    });
});
