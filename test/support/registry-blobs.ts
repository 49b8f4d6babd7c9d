import { type Answer, answer, answerError } from './registry-answer.ts';
import type { Exchange } from './registry-server.ts';
import { blobOf, type RegistryStore } from './registry-store.ts';

/** HEAD, GET (whole or one range) and DELETE of a blob. */
export function handleBlob(
  store: RegistryStore,
  exchange: Exchange,
  repository: string,
  digest: string,
): Answer {
  const bytes = blobOf(store, repository, digest);
  if (!/^sha(256|512):[0-9a-f]+$/.test(digest)) return answerError(400, 'DIGEST_INVALID');
  if (!bytes) return answerError(404, 'BLOB_UNKNOWN', { digest });
  if (exchange.method === 'DELETE') {
    store.repositories.get(repository)?.blobs.delete(digest);
    return answer(202, { 'docker-content-digest': digest });
  }
  if (exchange.method !== 'GET' && exchange.method !== 'HEAD')
    return answerError(405, 'UNSUPPORTED');
  return serveBytes(exchange, bytes, digest);
}

/**
 * Bytes as a file server gives them.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9110#name-range-requests
 */
export function serveBytes(exchange: Exchange, bytes: Uint8Array, digest: string): Answer {
  const headers = {
    'content-type': 'application/octet-stream',
    'docker-content-digest': digest,
    'accept-ranges': 'bytes',
    'cache-control': 'max-age=31536000',
    etag: `"${digest}"`,
  };
  const asked = exchange.fault?.ignore === 'range' ? undefined : exchange.headers.range;
  const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(asked ?? '') ?? [];
  if (first === undefined) return answer(200, headers, bytes);
  const start = Number(first);
  const end = last ? Math.min(Number(last), bytes.length - 1) : bytes.length - 1;
  if (start >= bytes.length || start > end)
    return answer(416, { 'content-range': `bytes */${bytes.length}` });
  const range = { 'content-range': `bytes ${start}-${end}/${bytes.length}` };
  return answer(206, { ...headers, ...range }, bytes.subarray(start, end + 1));
}
