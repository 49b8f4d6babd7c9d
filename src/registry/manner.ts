import { isTransient } from '../oci/errors.ts';
import { RegistryError } from './errors.ts';

const LARGEST_PIECE = 16 * 1024 * 1024;
const SMALLEST_PIECE = 256 * 1024;
// What registries say to a piece that they do not want.
const REFUSED = new Set([400, 404, 405, 501]);

/** What is known of a request that failed; lengths in bytes. */
interface Failure {
  /** that it was to send */
  readonly length: number;
  /** what the request had sent */
  readonly sent: number;
  /** whether the registry still knows the upload */
  readonly isKnown: boolean;
}

/**
 * How a registry wants its blobs: whole at first. One that loses an upload when a request breaks, or refuses bodies
 * of some size, gets shorter requests from then on.
 */
export class Manner {
  #resumes: boolean;
  #pieceBytes = Number.POSITIVE_INFINITY;
  /** the longest body that may not be refused for its length */
  #mostBytes = LARGEST_PIECE;

  /** @param pieces - `never` where a registry is known to take whole blobs only */
  constructor(pieces: 'ask' | 'never') {
    this.#resumes = pieces === 'ask';
  }

  /** Whether a broken upload may be taken up again. */
  get resumes(): boolean {
    return this.#resumes;
  }

  /** The most bytes of one request. */
  get pieceBytes(): number {
    return this.#pieceBytes;
  }

  /**
   * Learns from a request that failed.
   *
   * @returns whether the same blob should be tried at once, in shorter pieces
   */
  adapt(error: unknown, { length, sent, isKnown }: Failure): boolean {
    if (!this.#resumes) return false;
    if (error instanceof RegistryError && error.status === 413 && length > SMALLEST_PIECE) {
      this.#shorten(length / 4);
      this.#mostBytes = this.#pieceBytes;
      return true;
    }
    if (error instanceof RegistryError && REFUSED.has(error.status)) {
      const inPieces = this.#pieceBytes < Number.POSITIVE_INFINITY;
      if (inPieces) this.refusePieces();
      return inPieces;
    }
    if (!isTransient(error) || isKnown || sent < SMALLEST_PIECE) return false;
    // Half of what passed before the break may pass each time. That a whole blob breaks may be an accident; after a
    // piece that did no longer one is tried.
    if (Number.isFinite(this.#pieceBytes))
      this.#mostBytes = Math.max(SMALLEST_PIECE, Math.min(this.#mostBytes, length / 2));
    this.#shorten(Math.min(sent / 2, this.#mostBytes));
    return false;
  }

  /** A piece has arrived: the next one may be longer. */
  passed(): void {
    if (this.#pieceBytes < this.#mostBytes)
      this.#pieceBytes = Math.min(this.#mostBytes, this.#pieceBytes * 2);
  }

  /** The registry takes no pieces, although it says so. */
  refusePieces(): void {
    this.#resumes = false;
    this.#pieceBytes = Number.POSITIVE_INFINITY;
  }

  #shorten(bytes: number): void {
    const wanted = Math.min(LARGEST_PIECE, this.#pieceBytes, Math.floor(bytes));
    this.#pieceBytes = Math.max(SMALLEST_PIECE, wanted);
  }
}
