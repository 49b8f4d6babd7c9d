import { StoreError } from '../oci/errors.ts';
import type { HttpResponse } from './transport.ts';

/** A server sent more than we are willing to hold. */
export class OversizeError extends StoreError {
  override readonly name = 'OversizeError';
  readonly code = 'TOO_LARGE';
}

/**
 * Reads a whole body, whatever length the server claims.
 *
 * @param limit - bytes
 * @throws {OversizeError} more than `limit` bytes came
 */
export async function readBody(response: HttpResponse, limit: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body) {
    length += chunk.byteLength;
    if (length > limit)
      throw new OversizeError(
        `${response.url.host} sent more than ${limit} bytes where less is due`,
      );
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, length);
}

/** The same as JSON; undefined where it is none. */
export async function readJson(response: HttpResponse, limit: number): Promise<unknown> {
  return parseJson(await readBody(response, limit));
}

/** A body as JSON; undefined where it is none. */
export function parseJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(body).toString('utf8'));
  } catch {
    return undefined;
  }
}

/** A field of what may be an object; prototypes are not looked at. */
export function field(value: unknown, key: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  return Object.hasOwn(value, key) ? (value as Record<string, unknown>)[key] : undefined;
}
