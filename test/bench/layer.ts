import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { type Digest, digestOf, parseDigest } from '../../src/oci/digest.ts';
import { noisePieces } from './noise.ts';

/** Bytes of one blob, made anew each time they are asked for: a corpus of gigabytes is held nowhere. */
export interface Blob {
  readonly digest: Digest;
  /** bytes */
  readonly size: number;
  readonly bytes: () => Iterable<Uint8Array>;
}

export interface Layer extends Blob {
  /** the digest of the archive inside */
  readonly diffId: Digest;
}

export function blobOf(content: Uint8Array | string): Blob {
  const bytes = Buffer.from(content);
  return { digest: digestOf(bytes), size: bytes.length, bytes: () => [bytes] };
}

/** A layer as tools expect it: gzip around a tar of one file, whose `size` bytes do not compress. */
export function makeLayer(seed: string, size: number): Layer {
  const inside = createHash('sha256');
  const outside = createHash('sha256');
  let length = 0;
  const archive = function* () {
    for (const part of tar(seed, size)) {
      inside.update(part);
      yield part;
    }
  };
  for (const part of gzip(archive(), tarLength(size))) {
    outside.update(part);
    length += part.length;
  }
  return {
    digest: parseDigest(`sha256:${outside.digest('hex')}`),
    diffId: parseDigest(`sha256:${inside.digest('hex')}`),
    size: length,
    bytes: () => gzip(tar(seed, size), tarLength(size)),
  };
}

const TAR_BLOCK = 512;

/** @see https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html (ustar) */
function* tar(seed: string, size: number): Generator<Buffer> {
  const header = Buffer.alloc(TAR_BLOCK);
  header.write(`layer/${createHash('sha256').update(seed).digest('hex').slice(0, 32)}.bin`, 0);
  header.write('0000644\0', 100);
  header.write('0000000\0', 108);
  header.write('0000000\0', 116);
  header.write(`${size.toString(8).padStart(11, '0')}\0`, 124);
  header.write('00000000000\0', 136);
  header.write(' '.repeat(8), 148);
  header.write('0', 156);
  header.write('ustar\x0000', 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  yield header;
  yield* noisePieces(seed, size);
  yield Buffer.alloc(tarLength(size) - size - TAR_BLOCK);
}

/** Header, content up to a whole block, and two empty blocks at the end. */
function tarLength(size: number): number {
  return TAR_BLOCK * (1 + Math.ceil(size / TAR_BLOCK) + 2);
}

const GZIP_HEADER = Buffer.from('1f8b08000000000000ff', 'hex');
/** The most that a stored block of deflate holds. */
const STORED = 65_535;

/**
 * Packs `total` bytes as gzip without compressing them, by hand, so that no version of zlib changes a digest.
 *
 * @see https://www.rfc-editor.org/rfc/rfc1951#section-3.2.4
 */
function* gzip(parts: Iterable<Buffer>, total: number): Generator<Buffer> {
  yield GZIP_HEADER;
  let checksum = 0;
  let left = total;
  for (const part of parts) {
    checksum = crc32(part, checksum);
    const blocks: Buffer[] = [];
    for (let offset = 0; offset < part.length; offset += STORED) {
      const block = part.subarray(offset, offset + STORED);
      left -= block.length;
      const head = Buffer.alloc(5);
      head.writeUInt8(left === 0 ? 1 : 0, 0);
      head.writeUInt16LE(block.length, 1);
      head.writeUInt16LE(block.length ^ 0xffff, 3);
      blocks.push(head, block);
    }
    yield Buffer.concat(blocks);
  }
  const trailer = Buffer.alloc(8);
  trailer.writeUInt32LE(checksum, 0);
  trailer.writeUInt32LE(total % 2 ** 32, 4);
  yield trailer;
}
