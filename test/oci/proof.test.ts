import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { type Bytes, digestOf } from '../../src/oci/digest.ts';
import { isTransient } from '../../src/oci/errors.ts';
import { Proof, verified } from '../../src/oci/proof.ts';

const EMPTY = 'sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

async function* inChunks(chunks: readonly string[]): Bytes {
  for (const chunk of chunks) yield Buffer.from(chunk);
}

/** What came through, and the error that ended it. */
async function drained(bytes: Bytes) {
  const received: string[] = [];
  try {
    for await (const chunk of bytes) received.push(Buffer.from(chunk).toString());
    return { received, error: undefined };
  } catch (error) {
    return { received, error: error as Error };
  }
}

describe('Verified bytes', () => {
  const whole = 'abcdef';
  const digest = digestOf(Buffer.from(whole));

  test('come through as they are', async () => {
    const { received, error } = await drained(verified(inChunks(['ab', 'cd', 'ef']), digest, 6));

    assert.deepEqual(received, ['ab', 'cd', 'ef']);
    assert.equal(error, undefined);
  });

  test('are checked by sha512 where the digest says so', async () => {
    const long = digestOf(Buffer.from(whole), 'sha512');

    const { received } = await drained(verified(inChunks([whole]), long, 6));

    assert.deepEqual(received, [whole]);
  });

  test('may be none at all', async () => {
    assert.deepEqual(await drained(verified(inChunks([]), EMPTY, 0)), {
      ...{ received: [], error: undefined },
    });
    assert.equal((await drained(verified(inChunks(['']), EMPTY, 0))).error, undefined);
  });

  test('end before their last chunk where they are wrong', async () => {
    const { received, error } = await drained(verified(inChunks(['ab', 'cd', 'eX']), digest, 6));

    assert.deepEqual(received, ['ab', 'cd']);
    assert.equal(error?.name, 'DigestMismatchError');
    assert.equal(
      error?.message,
      `the bytes received for ${digest} are ${digestOf(Buffer.from('abcdeX'))}`,
    );
  });

  test('end before their last chunk also where empty ones follow it', async () => {
    const { received, error } = await drained(
      verified(inChunks(['ab', '', 'cdeX', '', '']), digest, 6),
    );

    assert.deepEqual(received, ['ab']);
    assert.equal(error?.name, 'DigestMismatchError');
  });

  test('are refused where they are too few', async () => {
    const { received, error } = await drained(verified(inChunks(['ab', 'cd']), digest, 6));

    assert.deepEqual(received, ['ab']);
    assert.equal(error?.message, `the bytes received for ${digest} are only 4 of 6 bytes`);
  });

  test('are refused as soon as they are too many, and no more of them are read', async () => {
    let read = 0;
    async function* endless(): Bytes {
      for (;;) {
        read += 1;
        if (read > 100) throw new Error('nobody stopped reading');
        yield Buffer.from('abcd');
      }
    }

    const { received, error } = await drained(verified(endless(), digest, 6));

    assert.deepEqual(received, []);
    assert.equal(error?.message, `the bytes received for ${digest} are longer than its 6 bytes`);
    assert.equal(read, 2);
  });

  test('are refused with an error that says that another try may help', async () => {
    const { error } = await drained(verified(inChunks(['x']), digest, 6));

    assert.equal(isTransient(error), true);
  });

  test('that fail on the way fail as they did, and nothing is handed out afterwards', async () => {
    async function* broken(): Bytes {
      yield Buffer.from('abcdef');
      throw new Error('the line was cut');
    }

    const { received, error } = await drained(verified(broken(), digest, 6));

    assert.deepEqual(received, []);
    assert.equal(error?.message, 'the line was cut');
  });

  test('let their source go when the reader has had enough', async () => {
    let closed = false;
    async function* source(): Bytes {
      try {
        for (const chunk of ['ab', 'cd', 'ef']) yield Buffer.from(chunk);
      } finally {
        closed = true;
      }
    }

    for await (const _ of verified(source(), digest, 6)) break;

    assert.equal(closed, true);
  });

  test('however they are cut, are handed out in whole only if they are right', async () => {
    const chunks = fc.array(fc.constantFrom('', 'a', 'b', 'abc', 'ba'), { maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(chunks, chunks, async (expected, sent) => {
        const text = expected.join('');

        const { received, error } = await drained(
          verified(inChunks(sent), digestOf(Buffer.from(text)), text.length),
        );

        const right = sent.join('') === text;
        assert.equal(error === undefined, right);
        if (right) assert.equal(received.join(''), text);
        else
          assert.ok(
            received.join('').length < Math.max(1, Math.min(text.length, sent.join('').length)),
          );
      }),
      { numRuns: 500 },
    );
  });
});

describe('A proof in several goes', () => {
  const MEBIBYTE = 1024 * 1024;
  const bytes = randomBytes(9 * MEBIBYTE + 5);
  const digest = digestOf(bytes);

  async function* from(content: Uint8Array, offset: number): Bytes {
    for (let at = offset; at < content.length; at += 64 * 1024)
      yield content.subarray(at, Math.min(content.length, at + 64 * 1024));
  }

  async function passed(proof: Proof, offset: number, count: number, content = bytes) {
    const start = proof.startFor(offset);
    const received: Uint8Array[] = [];
    let length = 0;
    for await (const chunk of proof.proven(from(content, start), start, offset)) {
      received.push(chunk);
      length += chunk.byteLength;
      if (length >= count) break;
    }
    return { start, received: Buffer.concat(received) };
  }

  test('reads little again of what it has read before', async () => {
    const proof = new Proof(digest, bytes.length);
    const first = await passed(proof, 0, 7 * MEBIBYTE);
    const offset = first.received.length;

    const second = await passed(proof, offset, Number.POSITIVE_INFINITY);

    assert.ok(offset - second.start <= 2 * MEBIBYTE + 64 * 1024, `${offset} ${second.start}`);
    assert.ok(Buffer.concat([first.received, second.received]).equals(bytes));
  });

  test('finds what was changed behind the break', async () => {
    const proof = new Proof(digest, bytes.length);
    await passed(proof, 0, 5 * MEBIBYTE);
    const changed = Buffer.from(bytes);
    changed[8 * MEBIBYTE] = (changed[8 * MEBIBYTE] ?? 0) ^ 1;

    const second = passed(proof, 5 * MEBIBYTE, Number.POSITIVE_INFINITY, changed);

    await assert.rejects(second, { name: 'DigestMismatchError' });
  });

  test('begins from the first byte again after it has found something wrong', async () => {
    const proof = new Proof(digest, bytes.length);
    const changed = Buffer.from(bytes);
    changed[0] = (changed[0] ?? 0) ^ 1;
    await assert.rejects(passed(proof, 0, Number.POSITIVE_INFINITY, changed));

    const again = await passed(proof, 6 * MEBIBYTE, Number.POSITIVE_INFINITY);

    assert.equal(again.start, 0);
    assert.ok(again.received.equals(bytes.subarray(6 * MEBIBYTE)));
  });

  test('of which the beginning was never here counts the rest', async () => {
    const offset = 4 * MEBIBYTE;
    const rest = await passed(new Proof(digest, bytes.length), offset, Number.POSITIVE_INFINITY);
    const short = passed(
      new Proof(digest, bytes.length),
      offset,
      Number.POSITIVE_INFINITY,
      bytes.subarray(0, -1),
    );

    assert.equal(rest.start, offset);
    assert.ok(rest.received.equals(bytes.subarray(offset)));
    await assert.rejects(short, { name: 'DigestMismatchError' });
  });

  test('at any places gives all bytes once', async () => {
    const places = fc.array(fc.integer({ min: 1, max: bytes.length - 1 }), { maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(places, async (cuts) => {
        const proof = new Proof(digest, bytes.length);
        const parts: Buffer[] = [];
        let offset = 0;
        for (const cut of [...cuts.sort((one, other) => one - other), bytes.length]) {
          const count = cut === bytes.length ? Number.POSITIVE_INFINITY : cut - offset;
          if (count <= 0) continue;
          const { received } = await passed(proof, offset, count);
          parts.push(received);
          offset += received.length;
        }

        assert.ok(Buffer.concat(parts).equals(bytes));
      }),
      { numRuns: 25 },
    );
  });
});
