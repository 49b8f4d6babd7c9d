import type { Descriptor } from '../oci/descriptor.ts';
import { refusalOf } from './refusal.ts';
import type { HttpResponse, Transport } from './transport.ts';

/** An upload that a registry has opened. */
export interface Session {
  /** where its next request goes; the registry may name another place in each answer */
  readonly url: URL;
  /** how many bytes the registry has confirmed */
  readonly offset: number;
}

/** Where sessions of one repository are opened. */
export interface SessionPlace {
  readonly transport: Transport;
  /** path below the registry, as scopes name it */
  readonly repository: string;
  /** `/v2/<repository>/blobs/uploads/` */
  readonly url: URL;
}

// A session that is left behind is the registry's to clean up; we do not wait for its blessing for long.
const CANCEL_MS = 1_000;
export const EMPTY = { 'content-length': '0' };

/**
 * Opens an upload.
 *
 * @throws {RegistryError} the registry opens none here
 */
export async function startSession(
  place: SessionPlace,
  signal: AbortSignal | undefined,
): Promise<Session> {
  const request = { method: 'POST', url: place.url, headers: EMPTY, signal } as const;
  const response = await place.transport(request);
  const session = response.status === 202 ? sessionIn(response, place.url) : undefined;
  if (!session) throw await refusalOf(request, response);
  await response.discard();
  return session;
}

/**
 * Asks for a mount. Whatever the answer, it is only an optimization: 202 is a session that takes the bytes
 * instead, and everything else (Docker Hub 400, Harbor 401, others 403, 404, 405) means a plain upload.
 */
export async function mount(
  place: SessionPlace,
  blob: Descriptor,
  from: string,
  signal: AbortSignal | undefined,
): Promise<Session | 'mounted' | undefined> {
  const url = new URL(place.url);
  url.searchParams.set('mount', blob.digest);
  url.searchParams.set('from', from);
  const scopes = [`repository:${from}:pull`];
  try {
    const response = await place.transport({ method: 'POST', url, headers: EMPTY, scopes, signal });
    await response.discard();
    if (response.status === 201) return 'mounted';
    return response.status === 202 ? sessionIn(response, place.url) : undefined;
  } catch {
    signal?.throwIfAborted();
    return undefined;
  }
}

/**
 * Asks how much of an upload has arrived; undefined where the registry no longer knows it, or does not tell.
 * distribution knows an upload by the address that it gave for the last whole request, and by no other: once a
 * request was cut in its middle it answers 404.
 *
 * @see https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pushing-a-blob-in-chunks
 */
export async function askSession(
  place: SessionPlace,
  url: URL,
  signal: AbortSignal | undefined,
): Promise<Session | undefined> {
  try {
    const response = await place.transport({ method: 'GET', url, signal });
    await response.discard();
    const knows = response.status === 204 || response.status === 200 || response.status === 202;
    return knows ? movedSession(response, url, undefined) : undefined;
  } catch {
    signal?.throwIfAborted();
    return undefined;
  }
}

/**
 * What an answer says of the session it belongs to.
 *
 * @param sent - bytes that it holds where the answer does not say so
 */
export function movedSession(
  response: HttpResponse,
  base: URL,
  sent: number | undefined,
): Session | undefined {
  const end = /^(?:bytes[= ])?0-(\d{1,15})$/.exec(response.header('range')?.trim() ?? '')?.[1];
  const confirmed = end === undefined ? sent : lengthOf(Number(end), sent);
  if (confirmed === undefined) return undefined;
  return { url: sessionIn(response, base)?.url ?? base, offset: confirmed };
}

// `0-0` is what distribution says of an empty upload, too.
function lengthOf(end: number, sent: number | undefined): number {
  return end === 0 && sent !== 1 ? 0 : end + 1;
}

/** Gives an upload up, and says whether nothing is left of it. An interruption does not stop this. */
export async function cancelSession(place: SessionPlace, { url }: Session): Promise<boolean> {
  const signal = AbortSignal.timeout(CANCEL_MS);
  // distribution asks for this right although the session is our own.
  const scopes = [`repository:${place.repository}:delete`];
  const request = { method: 'DELETE', url, headers: EMPTY, scopes, signal } as const;
  try {
    const response = await place.transport(request);
    await response.discard();
    return response.status < 300 || response.status === 404;
  } catch {
    return false;
  }
}

/** The address that commits an upload under its digest. */
export function closingUrl({ url }: Session, { digest }: Descriptor): URL {
  // Added to the text: URLSearchParams would write the registry's own query anew, and Google's refuses that.
  return new URL(`${url.href}${url.search ? '&' : '?'}digest=${digest}`);
}

/** The session's address: absolute or relative, with a query that must be kept, on the same host or another. */
function sessionIn(response: HttpResponse, base: URL): Session | undefined {
  const location = response.header('location');
  if (!location || !URL.canParse(location, base.href)) return undefined;
  return { url: new URL(location, base), offset: 0 };
}
