import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  algorithmOf,
  type Bytes,
  digestOf,
  isDigest,
  parseDigest,
  shortDigest,
  verified,
} from '../../src/oci/digest.ts';
import { isTransient } from '../../src/oci/errors.ts';

const EMPTY = 'sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

describe('A digest', () => {
  test('is computed by sha256, or by sha512 on demand', () => {
    assert.equal(digestOf(Buffer.alloc(0)), EMPTY);
    assert.match(digestOf(Buffer.from('a'), 'sha512'), /^sha512:1f40fc92da24169475[0-9a-f]{110}$/);
    assert.equal(algorithmOf(digestOf(Buffer.from('a'), 'sha512')), 'sha512');
    assert.equal(algorithmOf(EMPTY), 'sha256');
  });

  test('is checked to the last digit', () => {
    const wrong = [
      ...['', 'sha256:', EMPTY.toUpperCase(), EMPTY.slice(0, -1), `${EMPTY}0`, ` ${EMPTY}`],
      ...[`${EMPTY}\n`, EMPTY.slice(7), EMPTY.replace('sha256', 'sha512'), `md5:${'0'.repeat(32)}`],
      ...[EMPTY.replace('e', 'g'), `sha256:${'../'.repeat(21)}a`],
    ];

    for (const text of wrong) {
      assert.equal(isDigest(text), false, text);
      assert.throws(() => parseDigest(text), {
        name: 'InvalidDigestError',
        message: `"${text}" is not a digest: expected sha256: or sha512: and lower-case hexadecimal digits`,
      });
    }
    assert.equal(parseDigest(EMPTY), EMPTY);
  });

  test('is shown by its first twelve digits', () => {
    assert.equal(shortDigest(EMPTY), 'e3b0c44298fc');
  });
});

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
