import type { Descriptor } from '../oci/descriptor.ts';
import type { Bytes } from '../oci/digest.ts';
import { NetworkError } from './errors.ts';
import { cutter } from './pieces.ts';
import type { Reader } from './reader.ts';
import { refusalOf } from './refusal.ts';
import { closingUrl, EMPTY, movedSession, type Session, type SessionPlace } from './session.ts';
import type { HttpRequest, HttpResponse } from './transport.ts';

export interface Delivery {
  readonly place: SessionPlace;
  readonly blob: Descriptor;
  readonly reader: Reader;
  /** the registry that takes no byte for so long has stalled, in milliseconds */
  readonly idleMs: number;
  readonly signal: AbortSignal | undefined;
  /** told how many bytes were handed to the connection in all, from the blob's beginning */
  readonly onSent: (position: number) => void;
}

/** The bytes could not be read to their end: `cause` says why. The registry has nothing to do with it. */
export class SourceFault extends Error {
  override readonly name = 'SourceFault';

  constructor(cause: unknown) {
    super('the source failed', { cause });
  }
}

const OCTETS = { 'content-type': 'application/octet-stream' };

/**
 * Sends a whole blob with the request that commits it.
 *
 * @throws {RegistryError} the registry refused it
 * @throws {NetworkError} the connection broke or stalled
 * @throws {SourceFault} the bytes could not be read
 */
export async function deliverWhole(delivery: Delivery, session: Session): Promise<void> {
  const { place, blob } = delivery;
  await reading(delivery, async (open, guard) => {
    const request: HttpRequest = {
      method: 'PUT',
      url: closingUrl(session, blob),
      headers: { ...OCTETS, 'content-length': String(blob.size) },
      stores: blob.size,
      body: blob.size === 0 ? new Uint8Array() : async () => guard(await open(0), 0),
      signal: guard.signal,
    };
    await done(request, await place.transport(request));
  });
}

/**
 * Sends what a session lacks in pieces, each of which the registry confirms, and commits it then.
 *
 * @param pieceBytes - length of the next piece; infinite for all the rest in one
 * @param onConfirmed - told after each piece where the session stands
 */
export async function deliverRest(
  delivery: Delivery,
  session: Session,
  pieceBytes: () => number,
  onConfirmed: (session: Session) => void | Promise<void>,
): Promise<void> {
  const { place, blob, signal } = delivery;
  let current = session;
  await reading(delivery, async (open, guard) => {
    if (current.offset >= blob.size) return;
    let cut = cutter(await open(session.offset));
    while (current.offset < blob.size) {
      const { url, offset } = current;
      const length = Math.min(pieceBytes(), blob.size - offset);
      let isAgain = false;
      const piece = async (): Promise<Bytes> => {
        // A piece that is sent again, with a new token, begins where it began.
        if (isAgain) cut = cutter(await open(offset));
        isAgain = true;
        return guard(cut(length), offset);
      };
      const request: HttpRequest = {
        method: 'PATCH',
        url,
        headers: {
          ...OCTETS,
          'content-length': String(length),
          'content-range': `${offset}-${offset + length - 1}`,
        },
        stores: length,
        body: piece,
        signal: guard.signal,
      };
      const response = await done(request, await place.transport(request));
      const moved = movedSession(response, url, offset + length);
      // The bytes that it did not take are gone here: they are asked for again.
      if (moved?.offset !== offset + length) throw new NetworkError(url.host, new Error(SHORT));
      current = moved;
      await onConfirmed(current);
    }
  });
  const url = closingUrl(current, blob);
  const headers = { ...OCTETS, ...EMPTY };
  // Whether it has done its work is asked before it is sent again.
  const closing: HttpRequest = {
    ...{ method: 'PUT', url, headers, signal },
    ...{ stores: blob.size, once: true },
  };
  await done(closing, await place.transport(closing));
}

const SHORT = 'it took fewer bytes than it was sent';

async function done(request: HttpRequest, response: HttpResponse): Promise<HttpResponse> {
  const { status } = response;
  if (status !== 201 && status !== 202 && status !== 204) throw await refusalOf(request, response);
  await response.discard();
  return response;
}

/** Passes a body on, and ends the request where nobody takes it. */
interface Guard {
  /** @param offset - where the bytes begin */
  (bytes: Bytes, offset: number): Bytes;
  readonly signal: AbortSignal;
}

/**
 * Reads the blob for one or more requests. The transport reports a body that fails as its own failure; whoever
 * caused it is what is thrown here.
 */
async function reading(
  { reader, idleMs, signal, onSent, place }: Delivery,
  work: (open: (offset: number) => Promise<Bytes>, guard: Guard) => Promise<void>,
): Promise<void> {
  let fault: SourceFault | NetworkError | undefined;
  const over = new AbortController();
  const ended = AbortSignal.any(signal ? [over.signal, signal] : [over.signal]);
  const stall = (): void => {
    fault ??= new NetworkError(place.url.host, new Error('it took no byte for too long'));
    over.abort(fault);
  };
  const blame = (cause: unknown): never => {
    fault ??= new SourceFault(cause);
    throw cause;
  };

  async function* guarded(bytes: Bytes, offset: number): Bytes {
    let position = offset;
    const iterator = bytes[Symbol.asyncIterator]();
    try {
      for (;;) {
        const next = await iterator.next().catch(blame);
        if (next.done) return;
        position += next.value.byteLength;
        onSent(position);
        // Only while the registry has its turn: how long the source may take is the source's affair.
        const timer = setTimeout(stall, idleMs);
        try {
          yield next.value;
        } finally {
          clearTimeout(timer);
        }
      }
    } finally {
      await iterator.return?.();
    }
  }

  try {
    const begin = (offset: number) => reader.from(offset).catch(blame);
    await work(begin, Object.assign(guarded, { signal: ended }));
  } catch (error) {
    signal?.throwIfAborted();
    throw fault ?? error;
  } finally {
    over.abort();
  }
}
