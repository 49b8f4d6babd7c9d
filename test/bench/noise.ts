import { createCipheriv, createHash } from 'node:crypto';

/** Bytes in each piece of {@link noisePieces} but the last. */
const PIECE = 1024 * 1024;
const ZEROS = Buffer.alloc(PIECE);

/** Bytes that do not compress, the same for the same seed: AES in counter mode, which is the fastest that Node has. */
export function* noisePieces(seed: string, size: number): Generator<Buffer> {
  const key = createHash('sha256').update(seed).digest();
  const cipher = createCipheriv('aes-128-ctr', key.subarray(0, 16), key.subarray(16));
  for (let left = size; left > 0; left -= PIECE)
    yield cipher.update(ZEROS.subarray(0, Math.min(left, PIECE)));
}

/** Numbers from 0 up to, but without, 1; the same sequence for the same seed. */
export function chances(seed: string): () => number {
  let count = 0;
  return () => {
    const digest = createHash('sha256').update(`${seed}/${count}`).digest();
    count += 1;
    return digest.readUInt32BE(0) / 2 ** 32;
  };
}
