import { createHash } from 'node:crypto';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { type Digest, digestOf } from '../../src/oci/digest.ts';

/** Bytes that go into a registry as one blob. */
export interface BlobBytes {
  readonly digest: Digest;
  readonly size: number;
  readonly bytes: Uint8Array;
}

/** A layer, with the digest of what it holds once it is unpacked. */
export interface Layer extends BlobBytes {
  readonly mediaType: string;
  readonly diffId: Digest;
  /** a foreign layer: where else it may be fetched */
  readonly urls?: readonly string[];
}

export const LAYER_GZIP = 'application/vnd.oci.image.layer.v1.tar+gzip';
export const LAYER_ZSTD = 'application/vnd.oci.image.layer.v1.tar+zstd';
export const LAYER_DOCKER = 'application/vnd.docker.image.rootfs.diff.tar.gzip';
export const LAYER_FOREIGN = 'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip';

export function blob(bytes: Uint8Array | string): BlobBytes {
  const content = typeof bytes === 'string' ? Buffer.from(bytes) : bytes;
  return { digest: digestOf(content), size: content.length, bytes: content };
}

/**
 * A real layer: a tar of one file that holds `size` bytes which do not compress. The same seed and size
 * give the same layer, so that images share it.
 */
export function makeLayer(seed: string, size = 1000, mediaType: string = LAYER_GZIP): Layer {
  const archive = tar(`${seed.replace(/[^a-z0-9]+/gi, '-')}.bin`, noise(seed, size));
  const packed = mediaType.endsWith('+zstd')
    ? zstdCompressSync(archive)
    : gzipSync(archive, { level: 0 });
  return { ...blob(packed), mediaType, diffId: digestOf(archive) };
}

/** Bytes that look random and are the same for the same seed. */
export function noise(seed: string, size: number): Uint8Array {
  return createHash('shake256', { outputLength: size }).update(seed).digest();
}

/** @see https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html (ustar) */
function tar(name: string, content: Uint8Array): Uint8Array {
  const header = Buffer.alloc(512);
  header.write(name, 0);
  header.write('0000644\0', 100);
  header.write('0000000\0', 108);
  header.write('0000000\0', 116);
  header.write(`${content.length.toString(8).padStart(11, '0')}\0`, 124);
  header.write('00000000000\0', 136);
  header.write(' '.repeat(8), 148);
  header.write('0', 156);
  header.write('ustar\x0000', 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  const padding = Buffer.alloc(((512 - (content.length % 512)) % 512) + 1024);
  return Buffer.concat([header, content, padding]);
}
