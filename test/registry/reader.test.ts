import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, test } from 'node:test';
import type { Bytes } from '../../src/oci/digest.ts';
import { Reader } from '../../src/registry/reader.ts';

const MEBIBYTE = 1024 * 1024;
const LARGE = 256 * MEBIBYTE;
const bytes = randomBytes(24 * MEBIBYTE);

/** A source of the same bytes over and over, that tells where it was opened and closed. */
function source() {
  const opened: number[] = [];
  let closed = 0;
  let fault: Error | undefined;
  async function* from(offset: number): Bytes {
    try {
      for (let at = offset; at < LARGE; at += MEBIBYTE) {
        if (fault) throw fault;
        const start = at % bytes.length;
        yield bytes.subarray(start, Math.min(bytes.length, start + MEBIBYTE));
      }
    } finally {
      closed += 1;
    }
  }
  return {
    opened,
    closed: () => closed,
    breakWith: (error: Error | undefined) => {
      fault = error;
    },
    open: async (offset: number) => {
      opened.push(offset);
      return from(offset);
    },
  };
}

async function take(reader: Reader, offset: number, count: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of await reader.from(offset)) {
    chunks.push(chunk);
    length += chunk.byteLength;
    if (length >= count) break;
  }
  return Buffer.concat(chunks);
}

describe('A reader', () => {
  test('gives the last bytes of a large blob again without asking for them', async () => {
    const { open, opened } = source();
    const reader = new Reader(open, LARGE, undefined);
    await take(reader, 0, 12 * MEBIBYTE);
    const offset = 8 * MEBIBYTE + 12_345;

    const again = await take(reader, offset, 10 * MEBIBYTE);

    reader.close();
    assert.deepEqual(opened, [0]);
    assert.ok(again.equals(bytes.subarray(offset, offset + again.length)));
    assert.ok(again.length >= 10 * MEBIBYTE);
  });

  test('asks for what is longer ago', async () => {
    const { open, opened, closed } = source();
    const reader = new Reader(open, LARGE, undefined);
    await take(reader, 0, 12 * MEBIBYTE);

    const again = await take(reader, 2 * MEBIBYTE, MEBIBYTE);

    assert.deepEqual(opened, [0, 2 * MEBIBYTE]);
    assert.equal(closed(), 1);
    assert.ok(again.equals(bytes.subarray(2 * MEBIBYTE, 2 * MEBIBYTE + again.length)));
    reader.close();
  });

  test('keeps nothing of a blob that is soon read again', async () => {
    const { open, opened } = source();
    const reader = new Reader(open, LARGE - 1, undefined);
    await take(reader, 0, 4 * MEBIBYTE);

    await take(reader, 3 * MEBIBYTE, MEBIBYTE);

    reader.close();
    assert.deepEqual(opened, [0, 3 * MEBIBYTE]);
  });

  test('keeps no more than so much of many blobs', async () => {
    const sources = [source(), source(), source(), source()];
    const readers = sources.map(({ open }) => new Reader(open, LARGE, undefined));

    for (const reader of readers) await take(reader, 0, 10 * MEBIBYTE);
    for (const reader of readers) await take(reader, 5 * MEBIBYTE, MEBIBYTE);

    for (const reader of readers) reader.close();
    const again = sources.filter(({ opened }) => opened.length > 1);
    assert.equal(again.length, 2);
  });

  test('opens a source anew that has failed', async () => {
    const { open, opened, breakWith } = source();
    const reader = new Reader(open, LARGE, undefined);
    breakWith(new Error('cut'));
    await assert.rejects(take(reader, 0, 1), /cut/);
    breakWith(undefined);

    const again = await take(reader, 0, MEBIBYTE);

    reader.close();
    assert.deepEqual(opened, [0, 0]);
    assert.ok(again.equals(bytes.subarray(0, MEBIBYTE)));
  });

  test('lets its source go when it is closed', async () => {
    const { open, closed } = source();
    const reader = new Reader(open, LARGE, undefined);
    await take(reader, 0, 1);
    assert.equal(closed(), 0);

    reader.close();

    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(closed(), 1);
  });
});
