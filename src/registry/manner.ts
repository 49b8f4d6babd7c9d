import { isTransient } from '../oci/errors.ts';
import { RegistryError } from './errors.ts';

const LARGEST_PIECE = 16 * 1024 * 1024;
const SMALLEST_PIECE = 256 * 1024;

/** What is known of a request that failed; lengths in bytes. */
interface Failure {
  /** the blob's */
  readonly size: number;
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
  adapt(error: unknown, { size, sent, isKnown }: Failure): boolean {
    if (!this.#resumes) return false;
    const length = Math.min(this.#pieceBytes, size);
    if (error instanceof RegistryError && error.status === 413 && length > SMALLEST_PIECE) {
      this.#shorten(length / 4);
      return true;
    }
    // Half of what passed before the break may pass each time.
    if (isTransient(error) && !isKnown && sent >= SMALLEST_PIECE) this.#shorten(sent / 2);
    return false;
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
