import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, test } from 'node:test';
import type { Bytes } from '../../src/oci/digest.ts';
import { DigestMismatchError } from '../../src/oci/errors.ts';
import { NetworkError, RegistryError } from '../../src/registry/errors.ts';
import { Manner } from '../../src/registry/manner.ts';
import { startRegistry, type TestRegistry } from '../support/registry.ts';
import { send } from '../support/registry-client.ts';
import { collect, content, failureOf, open, openBare } from './opening.ts';

const SMALL = content('the bytes of a layer');
const LARGE = content(randomBytes(2 * 1024 * 1024));

describe('an upload', () => {
  let registry: TestRegistry;
  const stored = (digest: string, path = 'team/app') =>
    registry.store.repositories.get(path)?.blobs.has(digest) === true;

  beforeEach(async () => {
    registry = await startRegistry();
  });
  afterEach(() => registry.close());

  describe('that may be a mount', () => {
    const mountFrom = 'team/base';

    test('is one when the registry has the blob there', async (context) => {
      await openBare(context, registry, { path: 'team/base' }).putBlob(
        SMALL.descriptor,
        SMALL.open,
        {},
      );
      const { opened, open: openBlob } = content(SMALL.bytes);
      registry.log.clear();

      const arrival = await openBare(context, registry).putBlob(SMALL.descriptor, openBlob, {
        mountFrom,
      });

      assert.equal(arrival, 'mounted');
      assert.deepEqual(registry.log.summary(), ['POST mount 201']);
      assert.deepEqual(opened, []);
      assert.ok(stored(SMALL.descriptor.digest));
    });

    test('uses the session that comes instead', async (context) => {
      const arrival = await openBare(context, registry).putBlob(SMALL.descriptor, SMALL.open, {
        mountFrom,
      });

      assert.equal(arrival, 'uploaded');
      assert.deepEqual(registry.log.summary(), ['POST mount 202', 'PUT upload 201']);
    });

    for (const status of [400, 401, 403, 404, 405])
      test(`becomes a plain upload after ${status}`, async (context) => {
        registry.faults.add({ class: 'mount', answer: { status } });

        const arrival = await openBare(context, registry).putBlob(SMALL.descriptor, SMALL.open, {
          mountFrom,
        });

        assert.equal(arrival, 'uploaded');
        assert.deepEqual(registry.log.summary(), [
          `POST mount ${status}`,
          'POST upload 202',
          'PUT upload 201',
        ]);
      });

    test('becomes a plain upload when the connection breaks each time', async (context) => {
      registry.faults.add({ class: 'mount', reset: true });

      const arrival = await openBare(context, registry).putBlob(SMALL.descriptor, SMALL.open, {
        mountFrom,
      });

      assert.equal(arrival, 'uploaded');
      assert.ok(stored(SMALL.descriptor.digest));
    });

    test('becomes a plain upload when 202 names no session', async (context) => {
      registry.faults.add({ class: 'mount', headers: { location: undefined } });

      const arrival = await openBare(context, registry).putBlob(SMALL.descriptor, SMALL.open, {
        mountFrom,
      });

      assert.equal(arrival, 'uploaded');
    });
  });

  describe('goes to the Location', () => {
    test('that is relative, with its query', async (context) => {
      const relative = await startRegistry({ relativeLocations: true });
      context.after(() => relative.close());

      await openBare(context, relative).putBlob(SMALL.descriptor, SMALL.open, {});

      const [put] = relative.log.select('PUT', 'upload');
      assert.equal(put?.status, 201);
      assert.ok(put?.query.has('_state'));
      assert.equal(put?.query.get('digest'), SMALL.descriptor.digest);
    });

    test('whose query is kept as it was written', async (context) => {
      const written = "/v2/team/app/blobs/uploads/x?a=b%20c+d&e='f'&g";
      registry.faults.add({ method: 'POST', headers: { location: written } });
      let received = '';
      registry.faults.add({
        method: 'PUT',
        answerAfter: { status: 201, body: '' },
        where: ({ query }) => {
          received = query.get('a') ?? '';
          return true;
        },
      });

      await openBare(context, registry).putBlob(SMALL.descriptor, SMALL.open, {});

      assert.equal(received, 'b c d');
    });

    test('that is on another host, without the login', async (context) => {
      const guarded = await startRegistry({ auth: 'basic' });
      context.after(() => guarded.close());
      const session = await send(registry, {
        method: 'POST',
        path: '/v2/team/app/blobs/uploads/',
      });
      const { location } = session.headers;
      guarded.faults.add({ method: 'POST', class: 'upload', headers: { location } });
      const repository = await open(context, guarded);

      const arrival = await repository.putBlob(SMALL.descriptor, SMALL.open, {});

      assert.equal(arrival, 'uploaded');
      const [put] = registry.log.select('PUT');
      assert.equal(put?.status, 201);
      assert.equal(put?.headers.authorization, undefined);
    });

    test('and says what is wrong when there is none', async (context) => {
      registry.faults.add({ method: 'POST', headers: { location: undefined } });

      const error = await failureOf(
        openBare(context, registry).putBlob(SMALL.descriptor, SMALL.open, {}),
      );

      assert.ok(error instanceof RegistryError);
      assert.equal(error.status, 202);
    });
  });

  test('takes an empty blob', async (context) => {
    const empty = content('');

    const arrival = await openBare(context, registry).putBlob(empty.descriptor, empty.open, {});

    assert.equal(arrival, 'uploaded');
    assert.ok(stored(empty.descriptor.digest));
  });

  test('takes 204 for an answer', async (context) => {
    registry.faults.add({ method: 'PUT', answerAfter: { status: 204, body: '' } });

    const arrival = await openBare(context, registry).putBlob(SMALL.descriptor, SMALL.open, {});

    assert.equal(arrival, 'uploaded');
  });

  test('of other bytes than the digest names is tried once more, refused and never stored', async (context) => {
    const wrong = { ...SMALL.descriptor, digest: LARGE.descriptor.digest };

    const error = await failureOf(openBare(context, registry).putBlob(wrong, SMALL.open, {}));

    assert.ok(error instanceof RegistryError);
    assert.equal(error.code, 'DIGEST_INVALID');
    assert.equal(registry.log.count('PUT', 'upload'), 2);
    assert.equal(stored(wrong.digest), false);
  });

  test('goes on after a break where the registry says that it stands', async (context) => {
    const blob = content(LARGE.bytes);
    registry.faults.add(
      { method: 'PUT', dropUploadAfter: 100_000, times: 1 },
      { method: 'PATCH', dropUploadAfter: 200_000, times: 1 },
    );

    const arrival = await openBare(context, registry).putBlob(blob.descriptor, blob.open, {});

    assert.equal(arrival, 'uploaded');
    assert.deepEqual(blob.opened, [0, 100_000, 300_000]);
    assert.deepEqual(registry.log.summary(), [
      ...['POST upload 202', 'PUT upload 0', 'HEAD blob 404', 'GET upload 204'],
      ...['PATCH upload 0', 'HEAD blob 404', 'GET upload 204'],
      ...['PATCH upload 202', 'PUT upload 201', 'HEAD blob 200'],
    ]);
    const got = await openBare(context, registry).openBlob(blob.descriptor, 0);
    assert.ok((await collect(got)).equals(LARGE.bytes));
  });

  test('starts anew, in shorter pieces, where the registry does not know it any more', async (context) => {
    const forgetful = await startRegistry({ resumable: false });
    context.after(() => forgetful.close());
    const blob = content(LARGE.bytes);
    forgetful.faults.add({ method: 'PUT', dropUploadAfter: 1_000_000 });
    forgetful.faults.add({ method: 'PATCH', dropUploadAfter: 1_000_000 });

    const arrival = await openBare(context, forgetful).putBlob(blob.descriptor, blob.open, {});

    assert.equal(arrival, 'uploaded');
    assert.deepEqual(new Set(blob.opened), new Set([0]));
    assert.ok(blob.opened.length <= 3);
    assert.ok(forgetful.log.count('PATCH', 'upload') >= 3);
    const got = await openBare(context, forgetful).openBlob(blob.descriptor, 0);
    assert.ok((await collect(got)).equals(LARGE.bytes));
  });

  test('is cut into pieces where the whole is too large', async (context) => {
    registry.faults.add({
      where: ({ headers }) => Number(headers['content-length'] ?? 0) > 600_000,
      answer: { status: 413 },
    });

    const arrival = await openBare(context, registry).putBlob(LARGE.descriptor, LARGE.open, {});

    assert.equal(arrival, 'uploaded');
    assert.equal(registry.log.count('PUT', 'upload'), 2);
    assert.equal(registry.log.count('PATCH', 'upload'), 4);
  });

  test('starts anew with a new session after a break where nothing is to be taken up', async (context) => {
    const blob = content(LARGE.bytes);
    const manner = new Manner('never');
    registry.faults.add({ method: 'PUT', dropUploadAfter: 100_000, times: 2 });

    const arrival = await openBare(context, registry, { manner }).putBlob(
      blob.descriptor,
      blob.open,
      {},
    );

    assert.equal(arrival, 'uploaded');
    assert.deepEqual(blob.opened, [0, 0, 0]);
    assert.equal(registry.log.count('POST', 'upload'), 3);
    assert.equal(registry.log.count('DELETE', 'upload'), 2);
    assert.equal(registry.store.uploads.size, 0);
    const got = await openBare(context, registry).openBlob(blob.descriptor, 0);
    assert.ok((await collect(got)).equals(LARGE.bytes));
  });

  test('is done when 503 comes at its end and the blob is there all the same', async (context) => {
    registry.faults.add({ method: 'PUT', answerAfter: { status: 503 }, times: 1 });

    const arrival = await openBare(context, registry).putBlob(SMALL.descriptor, SMALL.open, {});

    assert.equal(arrival, 'uploaded');
    assert.deepEqual(registry.log.summary(), [
      ...['POST upload 202', 'PUT upload 503', 'HEAD blob 200'],
    ]);
  });

  test('gives up after so many breaks, and cancels what it began', async (context) => {
    registry.faults.add({ where: ({ method }) => /^P(?:UT|ATCH)$/.test(method), reset: true });

    const error = await failureOf(
      openBare(context, registry).putBlob(LARGE.descriptor, LARGE.open, {}),
    );

    assert.ok(error instanceof NetworkError);
    assert.equal(error.host, registry.host);
    assert.equal(registry.log.count('PUT', 'upload') + registry.log.count('PATCH', 'upload'), 4);
    assert.equal(registry.store.uploads.size, 0);
  });

  test('cancels its session when it is refused', async (context) => {
    registry.faults.add({ method: 'PUT', answer: { status: 413, body: 'too large' } });

    const error = await failureOf(
      openBare(context, registry).putBlob(SMALL.descriptor, SMALL.open, {}),
    );

    assert.ok(error instanceof RegistryError);
    assert.equal(error.code, 'TOO_LARGE');
    assert.equal(registry.log.count('DELETE', 'upload'), 1);
    assert.equal(registry.store.uploads.size, 0);
  });

  test('that stalls is broken off and goes on', { timeout: 20_000 }, async (context) => {
    const blob = content(randomBytes(16 * 1024 * 1024));
    const gate = Promise.withResolvers<void>();
    context.after(() => gate.resolve());
    registry.faults.add({ method: 'PUT', wait: gate.promise, times: 1 });

    const arrival = await openBare(context, registry, { idleMs: 200 }).putBlob(
      blob.descriptor,
      blob.open,
      {},
    );

    assert.equal(arrival, 'uploaded');
    assert.equal(registry.log.count('POST', 'upload'), 2);
  });

  test('may wait for its source for longer than for the registry', async (context) => {
    async function* slow(): Bytes {
      yield LARGE.bytes.subarray(0, 1000);
      await new Promise((resolve) => setTimeout(resolve, 300));
      yield LARGE.bytes.subarray(1000);
    }

    const arrival = await openBare(context, registry, { idleMs: 100 }).putBlob(
      LARGE.descriptor,
      async () => slow(),
      {},
    );

    assert.equal(arrival, 'uploaded');
    assert.equal(registry.log.count('PUT', 'upload'), 1);
  });

  test('lets the first refusal stand when the session cannot be cancelled', async (context) => {
    registry.faults.add(
      { method: 'PUT', answer: { status: 403 } },
      { method: 'DELETE', reset: true },
    );

    const error = await failureOf(
      openBare(context, registry).putBlob(SMALL.descriptor, SMALL.open, {}),
    );

    assert.ok(error instanceof RegistryError);
    assert.equal(error.status, 403);
  });

  test('stops when it is aborted, and cancels its session', async (context) => {
    const controller = new AbortController();
    let closed = false;
    async function* endless(): Bytes {
      try {
        for (let count = 0; count < 10_000; count += 1) {
          yield LARGE.bytes.subarray(0, 1000);
          if (count === 10) controller.abort();
        }
      } finally {
        closed = true;
      }
    }

    const error = await failureOf(
      openBare(context, registry).putBlob(LARGE.descriptor, async () => endless(), {
        signal: controller.signal,
      }),
    );

    assert.equal(error.name, 'AbortError');
    assert.ok(closed);
    assert.equal(registry.store.uploads.size, 0);
    assert.equal(registry.log.count('POST', 'upload'), 1);
  });

  test('reports what the source threw, not what the broken connection looks like', async (context) => {
    const fault = new Error('the source is on fire');
    async function* burning(): Bytes {
      yield LARGE.bytes.subarray(0, 1000);
      throw fault;
    }

    const error = await failureOf(
      openBare(context, registry).putBlob(LARGE.descriptor, async () => burning(), {}),
    );

    assert.equal(error, fault);
    assert.equal(stored(LARGE.descriptor.digest), false);
    assert.equal(registry.store.uploads.size, 0);
  });

  test('reports what opening the source threw', async (context) => {
    const fault = new Error('there is no source');

    const error = await failureOf(
      openBare(context, registry).putBlob(LARGE.descriptor, () => Promise.reject(fault), {}),
    );

    assert.equal(error, fault);
    assert.equal(registry.log.count('PUT'), 0);
    assert.equal(registry.store.uploads.size, 0);
  });

  test('starts anew after bytes that turned out to be wrong, whatever the registry has of them', async (context) => {
    let opened = 0;
    async function* damaged(offset: number): Bytes {
      opened += 1;
      yield LARGE.bytes.subarray(offset, -1);
      if (opened === 1) throw new DigestMismatchError(LARGE.descriptor.digest, 'others');
      yield LARGE.bytes.subarray(-1);
    }

    const arrival = await openBare(context, registry).putBlob(
      LARGE.descriptor,
      async (offset) => damaged(offset),
      {},
    );

    assert.equal(arrival, 'uploaded');
    assert.equal(registry.log.count('PATCH', 'upload'), 0);
    assert.equal(registry.log.count('POST', 'upload'), 2);
  });

  test('is not tried again when the source was cut, which has been tried often enough', async (context) => {
    let opened = 0;
    const fault = new NetworkError('source.example', new Error('cut'));
    async function* cut(): Bytes {
      opened += 1;
      yield LARGE.bytes.subarray(0, 1000);
      throw fault;
    }

    const error = await failureOf(
      openBare(context, registry).putBlob(LARGE.descriptor, async () => cut(), {}),
    );

    assert.equal(error, fault);
    assert.equal(opened, 1);
    assert.equal(registry.store.uploads.size, 0);
  });

  test('lets go of a source that nobody has begun to read', async (context) => {
    const nowhere = 'http://127.0.0.1:1/v2/team/app/blobs/uploads/x';
    registry.faults.add({ method: 'POST', headers: { location: nowhere } });
    const signals: (AbortSignal | undefined)[] = [];

    const error = await failureOf(
      openBare(context, registry).putBlob(
        SMALL.descriptor,
        (offset, signal) => {
          signals.push(signal);
          return SMALL.open(offset);
        },
        {},
      ),
    );

    assert.ok(error instanceof NetworkError);
    assert.equal(signals.length, 1);
    assert.ok(signals.every((signal) => signal?.aborted));
  });

  test('lets go of the connection to a source that nobody has begun to read', async (context) => {
    const source = await startRegistry();
    context.after(() => source.close());
    await openBare(context, source).putBlob(LARGE.descriptor, LARGE.open, {});
    const nowhere = 'http://127.0.0.1:1/v2/team/app/blobs/uploads/x';
    registry.faults.add({ method: 'POST', headers: { location: nowhere } });
    source.faults.add({ method: 'GET', class: 'blob', stallAfter: 10 });
    const from = openBare(context, source);

    const error = await failureOf(
      openBare(context, registry).putBlob(
        LARGE.descriptor,
        (offset, signal) => from.openBlob(LARGE.descriptor, offset, signal),
        {},
      ),
    );
    await source.settle();

    assert.ok(error instanceof NetworkError);
    assert.equal(source.log.count('GET', 'blob'), 1);
  });

  test('closes the source when the registry refuses before it has everything', async (context) => {
    registry.faults.add({ method: 'PUT', answer: { status: 403 } });
    let ended: () => void = () => undefined;
    const closed = new Promise<void>((resolve) => {
      ended = resolve;
    });
    async function* long(): Bytes {
      try {
        for (let count = 0; count < 10_000; count += 1) yield LARGE.bytes;
      } finally {
        ended();
      }
    }

    const error = await failureOf(
      openBare(context, registry).putBlob(
        { ...LARGE.descriptor, size: LARGE.bytes.length * 10_000 },
        async () => long(),
        {},
      ),
    );
    await closed;

    assert.ok(error instanceof RegistryError || error instanceof NetworkError);
  });
});
