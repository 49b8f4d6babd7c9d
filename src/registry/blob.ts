import { setTimeout as sleep } from 'node:timers/promises';
import type { Descriptor } from '../oci/descriptor.ts';
import type { Bytes } from '../oci/digest.ts';
import { isTransient } from '../oci/errors.ts';
import { delayBefore } from './backoff.ts';
import { NetworkError } from './errors.ts';
import type { RetryPolicy } from './retry.ts';
import type { HttpResponse } from './transport.ts';

/** What is read, and how patiently. */
export interface Reading {
  readonly blob: Descriptor;
  /** where to begin, in bytes */
  readonly offset: number;
  /** who is blamed for a transfer that ends too early */
  readonly host: string;
  readonly policy: RetryPolicy;
  readonly signal: AbortSignal | undefined;
}

/**
 * Reads a blob to its end although connections break: what is missing is asked for by Range.
 *
 * @param open - asks for the bytes from an offset on
 * @throws {NetworkError} the connection broke again and again without a byte in between
 */
export async function* resumed(
  open: (offset: number) => Promise<Bytes>,
  { blob, offset, host, policy, signal }: Reading,
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
      throw new NetworkError(host, new Error('the transfer ended too early'));
    } catch (error) {
      signal?.throwIfAborted();
      // A connection that breaks behind the last byte has done its work; no range is left to ask for.
      if (position >= blob.size && position > offset) return;
      if (failures >= policy.retries || !isTransient(error)) throw error;
    }
    await sleep(delayBefore(failures, policy), undefined, signal ? { signal } : {});
  }
}

/**
 * The bytes of an answer from `offset` on, whether the server honored the range or sent everything.
 *
 * @throws {NetworkError} it sent a range that begins behind `offset`
 */
export function bytesFrom(response: HttpResponse, offset: number): Bytes {
  const start = response.status === 206 ? (rangeStart(response) ?? offset) : 0;
  if (start > offset)
    throw new NetworkError(
      response.url.host,
      new Error('it sent other bytes than it was asked for'),
    );
  return start === offset ? response.body : skipped(response.body, offset - start);
}

function rangeStart(response: HttpResponse): number | undefined {
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
