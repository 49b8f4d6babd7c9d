import type { Bytes } from '../oci/digest.ts';
import type { OpenBlob } from '../oci/store.ts';
import { giveBack, retain } from './slab.ts';

interface Piece {
  /** where it stands in the blob */
  readonly at: number;
  readonly chunk: Uint8Array;
}

// A connection may hold this much of what it was handed and has not delivered.
const TAIL_BYTES = 8 * 1024 * 1024;
// All that is kept for all blobs.
const TAILS_BYTES = 2 * TAIL_BYTES;
// What is read again of a smaller blob is soon there.
const WORTH_A_TAIL = 256 * 1024 * 1024;

let kept = 0;

/**
 * Reads a blob for the requests that send it. Of a large one it keeps the last bytes: when a connection breaks, the
 * registry has mostly a little less than it was sent, and the source need not be asked for that again.
 */
export class Reader {
  readonly #open: OpenBlob;
  readonly #keeps: boolean;
  readonly #over = new AbortController();
  readonly #signal: AbortSignal;
  #source: AsyncIterator<Uint8Array> | undefined;
  /** where the source stands */
  #position = 0;
  #next: Promise<unknown> = Promise.resolve();
  readonly #tail: Piece[] = [];
  #tailBytes = 0;

  /** @param size - of the blob, in bytes */
  constructor(open: OpenBlob, size: number, signal: AbortSignal | undefined) {
    this.#open = open;
    this.#keeps = size >= WORTH_A_TAIL;
    const { signal: over } = this.#over;
    this.#signal = signal ? AbortSignal.any([over, signal]) : over;
  }

  /**
   * The bytes from an offset on. Giving up reading them leaves the source where it is, for the next time; only one
   * may be read at a time.
   *
   * @throws whatever the source throws
   */
  async from(offset: number): Promise<Bytes> {
    // Who gave up may still have been waiting for the source.
    await this.#next.catch(() => undefined);
    const first = this.#tail[0]?.at ?? this.#position;
    if (!this.#source || offset < first || offset > this.#position) await this.#begin(offset);
    return this.#read(offset);
  }

  /** Lets the source go. */
  close(): void {
    this.#over.abort();
    this.#forget(0);
    const source = this.#source;
    this.#source = undefined;
    Promise.resolve(source?.return?.()).catch(() => undefined);
  }

  async #begin(offset: number): Promise<void> {
    const former = this.#source;
    this.#source = undefined;
    this.#forget(0);
    Promise.resolve(former?.return?.()).catch(() => undefined);
    this.#source = (await this.#open(offset, this.#signal))[Symbol.asyncIterator]();
    this.#position = offset;
  }

  async *#read(offset: number): Bytes {
    for (const { at, chunk } of [...this.#tail]) {
      if (at + chunk.byteLength <= offset) continue;
      const again = chunk.subarray(Math.max(0, offset - at));
      // It is lent once more, and given back once more when it was sent.
      retain(again);
      yield again;
    }
    for (;;) {
      const next = this.#advance();
      this.#next = next;
      const chunk = await next;
      if (!chunk) return;
      yield chunk;
    }
  }

  async #advance(): Promise<Uint8Array | undefined> {
    let chunk: Uint8Array | undefined;
    try {
      chunk = (await this.#source?.next())?.value;
    } catch (error) {
      // It is of no use any more.
      this.#source = undefined;
      throw error;
    }
    if (!chunk) return undefined;
    if (this.#keeps) this.#keep({ at: this.#position, chunk });
    this.#position += chunk.byteLength;
    return chunk;
  }

  #keep(piece: Piece): void {
    const { byteLength } = piece.chunk;
    retain(piece.chunk);
    this.#tail.push(piece);
    this.#tailBytes += byteLength;
    kept += byteLength;
    this.#forget(Math.min(TAIL_BYTES, Math.max(0, this.#tailBytes - (kept - TAILS_BYTES))));
  }

  /** Keeps no more than so many bytes. */
  #forget(limit: number): void {
    while (this.#tailBytes > limit) {
      const piece = this.#tail.shift();
      if (!piece) return;
      const { byteLength } = piece.chunk;
      this.#tailBytes -= byteLength;
      kept -= byteLength;
      giveBack(piece.chunk);
    }
  }
}
