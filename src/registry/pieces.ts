import type { Bytes } from '../oci/digest.ts';

/**
 * Cuts bytes into pieces, one after the other; a piece ends early where the bytes do. A piece that is given up
 * leaves the rest where it is.
 */
export function cutter(bytes: Bytes): (length: number) => Bytes {
  const iterator = bytes[Symbol.asyncIterator]();
  let rest: Uint8Array | undefined;
  return async function* piece(length) {
    for (let left = length; left > 0; ) {
      const next = rest ?? (await iterator.next()).value;
      rest = undefined;
      if (next === undefined) return;
      const taken = next.subarray(0, left);
      if (taken.byteLength < next.byteLength) rest = next.subarray(taken.byteLength);
      left -= taken.byteLength;
      yield taken;
    }
  };
}
