import { setTimeout as sleep } from 'node:timers/promises';
import type { Descriptor } from '../oci/descriptor.ts';
import { isTransient, isWorthRetrying, storeErrorIn } from '../oci/errors.ts';
import type { Arrival, OpenBlob, PutBlobOptions } from '../oci/store.ts';
import { delayBefore } from './backoff.ts';
import { type Delivery, deliverRest, deliverWhole, SourceFault } from './deliver.ts';
import { IncompleteBlobError, RegistryError } from './errors.ts';
import { lengthOf } from './head.ts';
import type { Manner } from './manner.ts';
import { Reader } from './reader.ts';
import type { RetryPolicy } from './retry.ts';
import {
  askSession,
  cancelSession,
  mount,
  type Session,
  type SessionPlace,
  startSession,
} from './session.ts';
import type { KeptSessions } from './session-journal.ts';

/** Where blobs of one repository are uploaded to, and how. */
export interface UploadPlace extends SessionPlace {
  /** `/v2/<repository>/blobs/` */
  readonly blobs: URL;
  readonly retry: RetryPolicy;
  /** a registry that takes no byte for so long has stalled, in milliseconds */
  readonly idleMs: number;
  /** what this registry was seen to put up with */
  readonly manner: Manner;
  /** sessions that outlive this process; none where nothing is to be kept */
  readonly kept?: KeptSessions | undefined;
}

/** One blob on its way up. */
interface Upload extends Delivery {
  readonly place: UploadPlace;
  /** where in the blob the bytes end that were handed to a connection last */
  readonly sent: () => number;
}

// Smaller ones are sent again faster than they are asked after.
const KEPT_BYTES = 16 * 1024 * 1024;

/**
 * Puts a blob into a repository: mounted if that is possible, else by one POST and one PUT that carries the whole
 * blob. After a break the registry is asked what it has, and the upload goes on from there; where it does not know,
 * a new one begins. An upload of a large blob that a run could not finish is taken up by the next one.
 *
 * @throws {RegistryError} the registry refused the blob
 * @throws {IncompleteBlobError} the registry says that it has stored something else
 * @throws whatever `open` or the bytes that it gives throw
 * @see https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pushing-blobs
 */
export async function uploadBlob(
  place: UploadPlace,
  blob: Descriptor,
  open: OpenBlob,
  { mountFrom, signal }: PutBlobOptions,
): Promise<Arrival> {
  const mounted = mountFrom === undefined ? undefined : await mount(place, blob, mountFrom, signal);
  if (mounted === 'mounted') return 'mounted';
  const taken = await takeUp(place, blob, signal);
  if (taken && mounted) await cancelSession(place, mounted);
  await carry(place, blob, open, taken ?? mounted, taken !== undefined, signal);
  return 'uploaded';
}

/** Mounts a blob from another repository, or from this one; where that is refused nothing is left behind. */
export async function mountBlob(
  place: UploadPlace,
  blob: Descriptor,
  from: string,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const answer = await mount(place, blob, from, signal);
  if (answer !== undefined && answer !== 'mounted') await cancelSession(place, answer);
  return answer === 'mounted';
}

async function carry(
  place: UploadPlace,
  blob: Descriptor,
  open: OpenBlob,
  first: Session | undefined,
  isTakenUp: boolean,
  signal: AbortSignal | undefined,
): Promise<void> {
  let position = 0;
  const onSent = (sent: number): void => {
    position = sent;
  };
  const { idleMs } = place;
  const reader = new Reader(open, blob.size, signal);
  try {
    const upload = { place, blob, reader, idleMs, signal, onSent, sent: () => position };
    await send(upload, first, isTakenUp);
  } finally {
    reader.close();
  }
}

/** @param isTakenUp - whether what has arrived was sent by an earlier run, and so was not hashed by this one */
async function send(upload: Upload, first: Session | undefined, isTakenUp: boolean): Promise<void> {
  const { place, blob, signal, onSent, sent } = upload;
  let session = first;
  let unproven = isTakenUp;
  for (let failures = 0; ; ) {
    session ??= await begin(upload);
    const { offset } = session;
    const length = Math.min(place.manner.pieceBytes, blob.size - offset);
    onSent(offset);
    try {
      await deliver(upload, session);
      return await place.kept?.drop(place, blob);
    } catch (error) {
      if (signal?.aborted) await giveUp(upload, session);
      signal?.throwIfAborted();
      if (isFinal(error, failures)) return await leave(upload, session, error.cause);
      const state = await stateAfter(upload, session, error);
      if (state === 'stored') return await place.kept?.drop(place, blob);
      session = state;
      failures = session && session.offset > offset ? 0 : failures + 1;
      const isKnown = session !== undefined;
      const failure = { length, sent: sent() - offset, isKnown };
      // Of what an earlier run sent the registry alone knows whether it was right.
      const isRegistrys = !(error instanceof SourceFault);
      const isShorter = isRegistrys && place.manner.adapt(error, failure);
      const isAtOnce = (unproven && !isKnown) || isShorter;
      unproven &&= isKnown;
      if (isAtOnce) continue;
      if (failures > place.retry.retries || !isWorthAnother(error, failures)) {
        if (session) await giveUp(upload, session);
        throw error;
      }
      const delayMs = delayBefore(Math.max(0, failures - 1), place.retry);
      await sleep(delayMs, undefined, signal ? { signal } : {});
    }
  }
}

/** The reading side has tried what it could, but for bytes that turned out to be wrong at their end. */
function isFinal(error: unknown, failures: number): error is SourceFault {
  return error instanceof SourceFault && !(isDamaged(error) && failures === 0);
}

function isDamaged(error: unknown): boolean {
  return storeErrorIn(error)?.damaged === true;
}

async function begin({ place, blob, signal }: Upload): Promise<Session> {
  const session = await startSession(place, signal);
  if (blob.size >= KEPT_BYTES && place.manner.resumes)
    await place.kept?.keep(place, blob, session.url);
  return session;
}

async function deliver(upload: Upload, session: Session): Promise<void> {
  const { place, blob } = upload;
  const { manner } = place;
  if (session.offset === 0 && blob.size <= manner.pieceBytes) return deliverWhole(upload, session);
  await deliverRest(
    upload,
    session,
    () => manner.pieceBytes,
    async ({ url }) => {
      manner.passed();
      if (blob.size >= KEPT_BYTES) await place.kept?.keep(place, blob, url);
    },
  );
  // ECR answers 201 to pieces that it dropped.
  const stored = await storedSize(upload);
  if (stored !== undefined && stored !== blob.size) {
    manner.refusePieces();
    throw new IncompleteBlobError(place.url.host, blob, stored);
  }
}

/** Where an upload stands after a failure; undefined where it has to begin anew. */
async function stateAfter(
  upload: Upload,
  session: Session,
  error: unknown,
): Promise<Session | 'stored' | undefined> {
  const { place, blob, signal, sent } = upload;
  // The answer may be what was lost.
  if (sent() >= blob.size && (await storedSize(upload)) === blob.size) return 'stored';
  // A refusal ends an upload, but for one that says that it stands elsewhere; bytes that were wrong are in it by now.
  const isElsewhere = error instanceof RegistryError && error.status === 416;
  const isOpen = (isTransient(error) && !isDamaged(error)) || isElsewhere;
  const asked = place.manner.resumes && isOpen;
  const state = asked ? await askSession(place, session.url, signal) : undefined;
  // Bytes of the broken request may still be on their way into an upload that seems to be empty.
  const isEmpty = state?.offset === 0 && sent() > 0;
  if (state && !isEmpty && state.offset <= Math.max(session.offset, sent())) return state;
  if (!asked || state) await cancelSession(place, session);
  await place.kept?.drop(place, blob);
  return undefined;
}

/**
 * Whether another request may do what this one did not. 416 says that an upload stands elsewhere; one that the
 * registry has lost can be begun again, and bytes that were damaged on their way may arrive the next time.
 */
function isWorthAnother(error: unknown, attempt: number): boolean {
  if (isWorthRetrying(error, attempt) || error instanceof SourceFault) return true;
  if (!(error instanceof RegistryError)) return false;
  if (error.status === 416 || error.codes.includes('BLOB_UPLOAD_UNKNOWN')) return true;
  return error.codes.includes('DIGEST_INVALID') && attempt === 1;
}

/** The source has failed, and has been asked often enough: what has arrived may be of use when it works again. */
async function leave({ place, blob }: Upload, session: Session, fault: unknown): Promise<never> {
  if (
    isTransient(fault) &&
    !isDamaged(fault) &&
    place.kept &&
    place.manner.resumes &&
    blob.size >= KEPT_BYTES
  )
    place.kept.leave(place, blob);
  else await giveUp({ place, blob }, session);
  throw fault;
}

async function giveUp(
  { place, blob }: Pick<Upload, 'place' | 'blob'>,
  session: Session,
): Promise<void> {
  await cancelSession(place, session);
  await place.kept?.drop(place, blob);
}

/** An upload that an earlier run left, where the registry still knows it. */
async function takeUp(
  place: UploadPlace,
  blob: Descriptor,
  signal: AbortSignal | undefined,
): Promise<Session | undefined> {
  if (blob.size < KEPT_BYTES) return undefined;
  const url = await place.kept?.take(place, blob);
  const session = url && (await askSession(place, url, signal));
  if (session && session.offset > 0 && session.offset <= blob.size) {
    await place.kept?.keep(place, blob, session.url);
    return session;
  }
  return undefined;
}

/** The length of what the registry has under the blob's digest; undefined where it has nothing, or does not tell. */
async function storedSize({ place, blob, signal }: Upload): Promise<number | undefined> {
  const url = new URL(`./${blob.digest}`, place.blobs);
  try {
    const response = await place.transport({ method: 'HEAD', url, signal });
    await response.discard();
    return response.status === 200 ? lengthOf(response) : undefined;
  } catch {
    signal?.throwIfAborted();
    return undefined;
  }
}
