import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { NetworkError, RegistryError } from '../../src/registry/errors.ts';
import { startRegistry, type TestRegistry } from '../support/registry.ts';
import type { Fault } from '../support/registry-faults.ts';
import { collect, content, failureOf, openBare } from './opening.ts';

const BLOB = content(randomBytes(500_000));
const SIZE = BLOB.bytes.length;
const GET = { method: 'GET', class: 'blob' } as const;

describe('a download', () => {
  let registry: TestRegistry;
  const ranges = () => registry.log.select('GET', 'blob').map(({ headers }) => headers.range);

  beforeEach(async (context) => {
    registry = await startRegistry();
    await openBare(context as never, registry).putBlob(BLOB.descriptor, BLOB.open, {});
    registry.log.clear();
  });
  afterEach(() => registry.close());

  test('is one request when nothing breaks', async (context) => {
    const bytes = await collect(await openBare(context, registry).openBlob(BLOB.descriptor, 0));

    assert.ok(bytes.equals(BLOB.bytes));
    assert.deepEqual(ranges(), [undefined]);
  });

  const cuts: Readonly<Record<string, number>> = {
    'before the first byte': 0,
    'after the first byte': 1,
    'in the middle': SIZE / 2,
    'before the last byte': SIZE - 1,
  };
  for (const [where, dropAfter] of Object.entries(cuts))
    test(`goes on where it was cut ${where}`, async (context) => {
      registry.faults.add({ ...GET, dropAfter, times: 1 });

      const bytes = await collect(await openBare(context, registry).openBlob(BLOB.descriptor, 0));

      assert.ok(bytes.equals(BLOB.bytes));
      assert.equal(registry.log.count('GET', 'blob'), 2);
      const second = /^bytes=(\d+)-$/.exec(ranges()[1] ?? 'bytes=0-');
      assert.ok(Number(second?.[1]) <= dropAfter);
    });

  test('asks for nothing more when it is cut behind the last byte', async (context) => {
    registry.faults.add({ ...GET, headers: { 'content-length': undefined }, dropAfter: SIZE });

    const bytes = await collect(await openBare(context, registry).openBlob(BLOB.descriptor, 0));

    assert.ok(bytes.equals(BLOB.bytes));
    assert.equal(registry.log.count('GET', 'blob'), 1);
  });

  test('goes on as long as bytes come in between', async (context) => {
    registry.faults.add({ ...GET, dropAfter: 100_000, times: 4 });

    const bytes = await collect(await openBare(context, registry).openBlob(BLOB.descriptor, 0));

    assert.ok(bytes.equals(BLOB.bytes));
  });

  const shapes: Readonly<Record<string, Fault>> = {
    'the server ignores the range': { ignore: 'range' },
    'the range comes without saying which': { headers: { 'content-range': undefined } },
    'a body ends too early without a broken connection': { truncateTo: 300_000 },
  };
  for (const [what, fault] of Object.entries(shapes))
    test(`comes out right when ${what}`, async (context) => {
      registry.faults.add({ ...GET, dropAfter: 200_000, times: 1 }, { ...GET, ...fault, times: 1 });

      const bytes = await collect(await openBare(context, registry).openBlob(BLOB.descriptor, 0));

      assert.ok(bytes.equals(BLOB.bytes));
    });

  test('never takes bytes from another place for those it wants', async (context) => {
    registry.faults.add({
      ...GET,
      headers: { 'content-range': `bytes 150000-${SIZE - 1}/${SIZE}` },
      where: ({ headers }) => headers.range !== undefined,
    });

    const error = await failureOf(
      openBare(context, registry)
        .openBlob(BLOB.descriptor, 100_000)
        .then((bytes) => collect(bytes)),
    );

    assert.ok(error instanceof NetworkError);
    assert.match(error.message, /other bytes than it was asked for/);
  });

  test('begins where it is told to', async (context) => {
    const bytes = await collect(
      await openBare(context, registry).openBlob(BLOB.descriptor, 123_456),
    );

    assert.ok(bytes.equals(BLOB.bytes.subarray(123_456)));
    assert.deepEqual(ranges(), ['bytes=123456-']);
  });

  test('skips what it has when the server sends everything', async (context) => {
    registry.faults.add({ ...GET, ignore: 'range' });

    const bytes = await collect(
      await openBare(context, registry).openBlob(BLOB.descriptor, 123_456),
    );

    assert.ok(bytes.equals(BLOB.bytes.subarray(123_456)));
  });

  test('gives up when no byte comes any more, and names the host', async (context) => {
    registry.faults.add({ ...GET, nth: 1, dropAfter: 1000 }, { ...GET, dropAfter: 0 });
    const reading = await openBare(context, registry).openBlob(BLOB.descriptor, 0);

    const error = await failureOf(collect(reading));

    assert.ok(error instanceof NetworkError);
    assert.equal(error.host, registry.host);
    assert.equal(registry.log.count('GET', 'blob'), 4);
  });

  test('gives up when the registry has less than the manifest says', async (context) => {
    registry.faults.add({ ...GET, truncateTo: 1000, ignore: 'range' });
    const reading = await openBare(context, registry).openBlob(BLOB.descriptor, 0);

    const error = await failureOf(collect(reading));

    assert.ok(error instanceof NetworkError);
    assert.match(error.message, new RegExp(`^${registry.host}: .*too early`));
  });

  test('stops at a refusal in the middle', async (context) => {
    registry.faults.add(
      { ...GET, nth: 1, dropAfter: 1000 },
      { ...GET, answer: { status: 403, code: 'DENIED' } },
    );
    const reading = await openBare(context, registry).openBlob(BLOB.descriptor, 0);

    const error = await failureOf(collect(reading));

    assert.ok(error instanceof RegistryError);
    assert.equal(error.code, 'DENIED');
    assert.equal(registry.log.count('GET', 'blob'), 2);
  });

  test('stops when it is aborted', async (context) => {
    const controller = new AbortController();
    registry.faults.add({ ...GET, stallAfter: 1000 });
    const reading = await openBare(context, registry).openBlob(
      BLOB.descriptor,
      0,
      controller.signal,
    );
    const iterator = reading[Symbol.asyncIterator]();
    await iterator.next();
    controller.abort();

    const error = await failureOf(iterator.next());

    assert.equal(error.name, 'AbortError');
    await registry.settle();
  });

  test('lets go of its connection when the reader has enough', async (context) => {
    registry.faults.add({ ...GET, stallAfter: 1000 });
    const reading = await openBare(context, registry).openBlob(BLOB.descriptor, 0);

    for await (const chunk of reading) {
      assert.ok(chunk.length > 0);
      break;
    }
    await registry.settle();

    assert.equal(registry.log.count('GET', 'blob'), 1);
  });

  test('of a blob that is not there is known before any byte', async (context) => {
    const absent = content('absent').descriptor;

    const error = await failureOf(openBare(context, registry).openBlob(absent, 0));

    assert.ok(error instanceof RegistryError);
    assert.ok(error.missing);
    assert.equal(error.code, 'BLOB_UNKNOWN');
  });

  test('of a blob that is elsewhere asks again for its address', async (context) => {
    registry.faults.add(
      { ...GET, redirect: 307 },
      { class: 'elsewhere', dropAfter: 100_000, times: 1 },
    );

    const bytes = await collect(await openBare(context, registry).openBlob(BLOB.descriptor, 0));

    assert.ok(bytes.equals(BLOB.bytes));
    assert.equal(registry.log.count('GET', 'blob'), 2);
    const [, second] = registry.log.select('GET', 'elsewhere');
    assert.match(second?.headers.range ?? '', /^bytes=\d+-$/);
  });

  describe('of a foreign layer', () => {
    const foreign = content('a layer of Windows');

    test('comes from its address, also by way of a redirect', async (context) => {
      const home = await startRegistry();
      context.after(() => home.close());
      await openBare(context, home, { path: 'base' }).putBlob(foreign.descriptor, foreign.open, {});
      home.faults.add({ ...GET, redirect: 302 });
      const urls = [
        'ftp://x.example/',
        'nonsense',
        `${home.url}/v2/base/blobs/sha256:0`,
        `${home.url}/v2/base/blobs/${foreign.descriptor.digest}`,
      ];

      const bytes = await collect(
        await openBare(context, registry).openBlob({ ...foreign.descriptor, urls }, 0),
      );

      assert.ok(bytes.equals(foreign.bytes));
    });

    test('is refused in the words of the registry when no address works', async (context) => {
      const urls = ['http://127.0.0.1:1/layer'];

      const error = await failureOf(
        openBare(context, registry).openBlob({ ...foreign.descriptor, urls }, 0),
      );

      assert.ok(error instanceof RegistryError);
      assert.equal(error.code, 'BLOB_UNKNOWN');
    });
  });
});
