import { createHash, type Hash } from 'node:crypto';
import { algorithmOf, type Bytes, type Digest } from './digest.ts';
import { DigestMismatchError } from './errors.ts';

/** How far a blob was hashed at one place of it. */
interface Mark {
  readonly position: number;
  readonly hash: Hash;
}

const MARK_BYTES = 256 * 1024;
// A connection holds no more than this of what it has not delivered.
const MARKS = 256;

/**
 * Proves that bytes are those that a digest names, also when they come in several goes: what was hashed before a
 * break need not be read again after it.
 */
export class Proof {
  readonly #digest: Digest;
  readonly #size: number;
  #marks: Mark[];
  #furthest = 0;

  /** @param size - bytes expected in all */
  constructor(digest: Digest, size: number) {
    this.#digest = digest;
    this.#size = size;
    this.#marks = [{ position: 0, hash: createHash(algorithmOf(digest)) }];
  }

  /**
   * Where reading has to begin so that the bytes from `offset` on can be proven. An offset behind everything that was
   * read here was reached by somebody else, whose bytes are not here to be hashed: then it is the offset itself.
   */
  startFor(offset: number): number {
    if (offset > this.#furthest) return offset;
    return this.#markBefore(offset)?.position ?? 0;
  }

  /**
   * Passes bytes on while it hashes them, and holds the last chunk back until the digest is proven: whoever receives
   * the last chunk has received exactly the bytes that the digest names. Of bytes that begin where nothing is known of
   * those before, only the number is proven.
   *
   * @param from - where `bytes` begin, as {@link startFor} says
   * @param offset - where the bytes that are passed on begin
   * @throws {DigestMismatchError} before the last chunk is handed out
   */
  async *proven(bytes: Bytes, from: number, offset: number): Bytes {
    const hash = this.#markBefore(from, from)?.hash.copy();
    let position = from;
    let held: Uint8Array | undefined;
    for await (const chunk of bytes) {
      // An empty chunk must not be the last one: the one before it would be handed out unproven.
      if (chunk.byteLength === 0) continue;
      hash?.update(chunk);
      const rest = chunk.subarray(Math.max(0, offset - position));
      position += chunk.byteLength;
      if (position > this.#size) this.#fail(`longer than its ${this.#size} bytes`);
      if (hash) this.#mark(position, hash);
      if (rest.byteLength === 0) continue;
      if (held) yield held;
      held = rest;
    }
    if (position < this.#size) this.#fail(`only ${position} of ${this.#size} bytes`);
    const found = hash && `${algorithmOf(this.#digest)}:${hash.digest('hex')}`;
    if (found !== undefined && found !== this.#digest) this.#fail(found);
    if (held) yield held;
  }

  #markBefore(offset: number, exactly?: number): Mark | undefined {
    const mark = this.#marks.findLast(({ position }) => position <= offset);
    return exactly === undefined || mark?.position === exactly ? mark : undefined;
  }

  #mark(position: number, hash: Hash): void {
    this.#furthest = Math.max(this.#furthest, position);
    const last = this.#marks.at(-1)?.position ?? 0;
    if (position - last < MARK_BYTES || position === this.#size) return;
    this.#marks.push({ position, hash: hash.copy() });
    // The first one stays: from there everything can be read again.
    if (this.#marks.length > MARKS) this.#marks.splice(1, 1);
  }

  #fail(found: string): never {
    // What was hashed may be what is wrong.
    this.#marks = this.#marks.slice(0, 1);
    throw new DigestMismatchError(this.#digest, found);
  }
}

/**
 * Passes bytes on while it hashes them, from the first to the last one.
 *
 * @param size - bytes expected in all
 * @throws {DigestMismatchError} before the last chunk is handed out
 */
export function verified(bytes: Bytes, digest: Digest, size: number): Bytes {
  return new Proof(digest, size).proven(bytes, 0, 0);
}
