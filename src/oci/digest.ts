import { createHash } from 'node:crypto';
import { InvalidDigestError } from './errors.ts';

export type Algorithm = 'sha256' | 'sha512';

/** `<algorithm>:<lower-case hexadecimal>`, already checked: made only by {@link parseDigest} and {@link digestOf}. */
export type Digest = `${Algorithm}:${string}`;

export type Bytes = AsyncIterable<Uint8Array>;

const PATTERN = /^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/;

export function isDigest(text: string): text is Digest {
  return PATTERN.test(text);
}

/**
 * Takes a text for a digest.
 *
 * @throws {InvalidDigestError} unknown algorithm, wrong length or upper-case digits
 * @see https://github.com/opencontainers/image-spec/blob/v1.1.1/descriptor.md#digests
 */
export function parseDigest(text: string): Digest {
  if (!isDigest(text)) throw new InvalidDigestError(text);
  return text;
}

export function digestOf(bytes: Uint8Array, algorithm: Algorithm = 'sha256'): Digest {
  return `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`;
}

export function algorithmOf(digest: Digest): Algorithm {
  return digest.startsWith('sha512:') ? 'sha512' : 'sha256';
}

/** The first twelve digits, as docker shows them. */
export function shortDigest(digest: string): string {
  return digest.slice(digest.indexOf(':') + 1).slice(0, 12);
}
