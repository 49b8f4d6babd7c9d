import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { algorithmOf, digestOf, isDigest, parseDigest, shortDigest } from '../../src/oci/digest.ts';

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
