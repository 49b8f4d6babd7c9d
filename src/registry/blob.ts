import { setTimeout as sleep } from 'node:timers/promises';
import type { Descriptor } from '../oci/descriptor.ts';
import type { Bytes } from '../oci/digest.ts';
import { isTransient } from '../oci/errors.ts';
import { NetworkError } from './errors.ts';
import { delayBefore, type RetryPolicy } from './retry.ts';
import type { HttpResponse } from './transport.ts';

/**
 * Reads a blob to its end although connections break: what is missing is asked for by Range.
 *
 * @param open - asks for the bytes from an offset on
 * @throws {NetworkError} the connection broke again and again without a byte in between
 */
export async function* resumed(
  open: (offset: number) => Promise<Bytes>,
  blob: Descriptor,
  offset: number,
  policy: RetryPolicy,
  signal: AbortSignal | undefined,
): Bytes {
  let position = offset;
  for (let failures = 0; ; failures += 1) {
    try {
      for await (const chunk of await open(position)) {
        position += chunk.byteLength;
        failures = 0;
        yield chunk;
      }
      if (position >= blob.size) return;
      throw new NetworkError('the source', new Error('the transfer ended too early'));
    } catch (error) {
      signal?.throwIfAborted();
      if (failures >= policy.retries || !isTransient(error)) throw error;
    }
    await sleep(delayBefore(failures, policy), undefined, signal ? { signal } : {});
  }
}

/** The bytes of an answer from `offset` on, whether the server honored the range or sent everything. */
export function bytesFrom(response: HttpResponse, offset: number): Bytes {
  if (offset === 0 || rangeStart(response) === offset) return response.body;
  return skipped(response.body, offset);
}

function rangeStart(response: HttpResponse): number | undefined {
  if (response.status !== 206) return undefined;
  const start = /^bytes (\d+)-/.exec(response.header('content-range') ?? '')?.[1];
  return start === undefined ? undefined : Number(start);
}

async function* skipped(body: Bytes, count: number): Bytes {
  let left = count;
  for await (const chunk of body) {
    if (left >= chunk.byteLength) left -= chunk.byteLength;
    else {
      yield left > 0 ? chunk.subarray(left) : chunk;
      left = 0;
    }
  }
}
