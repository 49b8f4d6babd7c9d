import { setTimeout as sleep } from 'node:timers/promises';
import type { Descriptor } from '../oci/descriptor.ts';
import type { Bytes } from '../oci/digest.ts';
import { isWorthRetrying } from '../oci/errors.ts';
import type { Arrival, OpenBlob, PutBlobOptions } from '../oci/store.ts';
import { refusalOf } from './refusal.ts';
import { delayBefore, type RetryPolicy } from './retry.ts';
import type { HttpRequest, HttpResponse, Transport } from './transport.ts';

/** Where blobs of one repository are uploaded to. */
export interface UploadPlace {
  readonly transport: Transport;
  /** path below the registry, as scopes name it */
  readonly repository: string;
  /** `/v2/<repository>/blobs/uploads/` */
  readonly url: URL;
  readonly retry: RetryPolicy;
}

// A session that is left behind is the registry's to clean up; we do not wait for its blessing for long.
const CANCEL_MS = 1_000;

/**
 * Puts a blob into a repository: mounted if that is possible, else by one POST and one PUT that carries the
 * whole blob. After a break the upload starts anew, with a new session.
 *
 * @throws {RegistryError} the registry refused the blob
 * @throws whatever `open` or the bytes that it gives throw
 * @see https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pushing-blobs
 */
export async function uploadBlob(
  place: UploadPlace,
  blob: Descriptor,
  open: OpenBlob,
  { mountFrom, signal }: PutBlobOptions,
): Promise<Arrival> {
  let session = mountFrom === undefined ? undefined : await mount(place, blob, mountFrom, signal);
  if (session === 'mounted') return 'mounted';
  for (let attempt = 0; ; attempt += 1) {
    session ??= await startSession(place, signal);
    try {
      await send(place, session, blob, open, signal);
      return 'uploaded';
    } catch (error) {
      await cancel(place, session);
      session = undefined;
      signal?.throwIfAborted();
      if (attempt >= place.retry.retries || !isWorthRetrying(error, attempt + 1)) throw error;
      await sleep(delayBefore(attempt, place.retry), undefined, signal ? { signal } : {});
    }
  }
}

/** Mounts a blob from another repository, or from this one; where that is refused nothing is left behind. */
export async function mountBlob(
  place: UploadPlace,
  blob: Descriptor,
  from: string,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const answer = await mount(place, blob, from, signal);
  if (answer instanceof URL) await cancel(place, answer);
  return answer === 'mounted';
}

/**
 * Asks for a mount. Whatever the answer, it is only an optimization: 202 is a session that takes the bytes
 * instead, and everything else (Docker Hub 400, Harbor 401, others 403, 404, 405) means a plain upload.
 */
async function mount(
  place: UploadPlace,
  blob: Descriptor,
  from: string,
  signal: AbortSignal | undefined,
): Promise<URL | 'mounted' | undefined> {
  const url = new URL(place.url);
  url.searchParams.set('mount', blob.digest);
  url.searchParams.set('from', from);
  const scopes = [`repository:${from}:pull`];
  try {
    const response = await place.transport({ method: 'POST', url, headers: EMPTY, scopes, signal });
    await response.discard();
    if (response.status === 201) return 'mounted';
    return response.status === 202 ? sessionOf(response, place.url) : undefined;
  } catch {
    signal?.throwIfAborted();
    return undefined;
  }
}

async function startSession(place: UploadPlace, signal: AbortSignal | undefined): Promise<URL> {
  const request = { method: 'POST', url: place.url, headers: EMPTY, signal } as const;
  const response = await place.transport(request);
  const session = response.status === 202 ? sessionOf(response, place.url) : undefined;
  if (!session) throw await refusalOf(request, response);
  await response.discard();
  return session;
}

async function send(
  place: UploadPlace,
  session: URL,
  blob: Descriptor,
  open: OpenBlob,
  signal: AbortSignal | undefined,
): Promise<void> {
  // Added to the text: URLSearchParams would write the registry's own query anew, and Google's refuses that.
  const url = new URL(`${session.href}${session.search ? '&' : '?'}digest=${blob.digest}`);
  let sourceFault: unknown;
  // Bytes that nobody has begun to read have no other way to be let go, and hold a connection of the source.
  const reading = new AbortController();
  const wanted = AbortSignal.any(signal ? [reading.signal, signal] : [reading.signal]);
  const body = async (): Promise<Bytes> =>
    noting(await open(0, wanted), (fault) => {
      sourceFault = fault;
    });
  const request: HttpRequest = {
    method: 'PUT',
    url,
    headers: {
      'content-type': 'application/octet-stream',
      'content-length': String(blob.size),
    },
    body: blob.size === 0 ? new Uint8Array() : body,
    signal,
  };
  try {
    const response = await place.transport(request);
    if (response.status !== 201 && response.status !== 204)
      throw await refusalOf(request, response);
    await response.discard();
  } catch (error) {
    throw sourceFault ?? error;
  } finally {
    reading.abort();
  }
}

// The transport reports a body that fails as its own failure; the reader must know whose it was.
async function* noting(bytes: Bytes, note: (fault: unknown) => void): Bytes {
  try {
    yield* bytes;
  } catch (fault) {
    note(fault);
    throw fault;
  }
}

async function cancel(place: UploadPlace, session: URL): Promise<void> {
  const signal = AbortSignal.timeout(CANCEL_MS);
  // distribution asks for this right although the session is our own.
  const scopes = [`repository:${place.repository}:delete`];
  const request = { method: 'DELETE', url: session, headers: EMPTY, scopes, signal } as const;
  const answer = place.transport(request);
  await answer.then((response) => response.discard()).catch(() => undefined);
}

const EMPTY = { 'content-length': '0' };

/** The session's address: absolute or relative, with a query that must be kept, on the same host or another. */
function sessionOf(response: HttpResponse, base: URL): URL | undefined {
  const location = response.header('location');
  return location && URL.canParse(location, base.href) ? new URL(location, base) : undefined;
}
