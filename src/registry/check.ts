import type { StoreError } from '../oci/errors.ts';
import { ACCEPTED_MANIFESTS } from '../oci/media-types.ts';
import { MissingRepositoryError, MissingRightError, NoRegistryError } from './check-errors.ts';
import { RegistryError } from './errors.ts';
import { isHeadRefused } from './head.ts';
import { refusalOf } from './refusal.ts';
import type { Probe, Right } from './registry.ts';
import { cancelSession, startSession } from './session.ts';
import type { HttpRequest, HttpResponse } from './transport.ts';

/**
 * Tries a login at the registry's own door, `GET /v2/`, where no right is needed.
 *
 * @returns what is to be said besides that it went well, if anything; so do the other checks
 * @throws {StoreError} the registry refuses the login or cannot be reached, or its token service gives no token
 * @see https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#determining-support
 */
export async function checkLogin(probe: Probe, signal?: AbortSignal): Promise<string | undefined> {
  const refusal = await refusalAtDoor(probe, signal);
  if (!refusal) return undefined;
  // Who has no login to show may be refused here, and pull all the same.
  if (refusal.forbidden && !probe.login.credential)
    return 'the registry answers; no login is tried';
  throw refusal;
}

/**
 * Tries to pull: `GET /v2/`, then a HEAD of one manifest, or the first of the tags where no version is given.
 *
 * @param version - a tag or a digest
 * @throws {MissingRightError} the registry takes the login, but not for this repository
 * @throws the same as {@link checkLogin}
 */
export async function checkPull(
  probe: Probe,
  version: string | undefined,
  signal?: AbortSignal,
): Promise<string | undefined> {
  const refusedAtDoor = await refusalAtDoor(probe, signal);
  const { request, response } = await pulled(probe, version, signal);
  // Quay refuses the anonymous at its door and lets them pull: the door alone says nothing.
  if (response.status === 404 && refusedAtDoor) throw refusedAtDoor;
  if (response.status !== 200 && response.status !== 404)
    throw await refusalFor('pull', probe, await refusalOf(request, response), signal);
  await response.discard();
  if (response.status === 200) return undefined;
  const who = probe.login.credential ? 'login works' : 'the registry answers';
  return `${who}; the ${version === undefined ? 'repository' : 'image'} is not there`;
}

/**
 * Tries to push: opens an upload session, and cancels it at once.
 *
 * @throws {MissingRepositoryError} the registry makes no repository at a push
 * @throws {MissingRightError} the registry takes the login, but not for a push
 * @throws the same as {@link checkLogin}
 * @see https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pushing-blobs
 */
export async function checkPush(probe: Probe, signal?: AbortSignal): Promise<string | undefined> {
  const { name, base, transport } = probe;
  const url = new URL('blobs/uploads/', base);
  const place = { transport, repository: name.repository, url };
  const session = await startSession(place, signal).catch(async (error: unknown) => {
    throw error instanceof RegistryError ? await refusalFor('push', probe, error, signal) : error;
  });
  return (await cancelSession(place, session))
    ? undefined
    : 'the upload session is left to the registry, which did not cancel it';
}

async function refusalAtDoor(
  { base, transport }: Probe,
  signal: AbortSignal | undefined,
): Promise<StoreError | undefined> {
  const request = { method: 'GET', url: new URL('/v2/', base), signal } as const;
  const response = await transport(request);
  if (response.status === 200) {
    await response.discard();
    return undefined;
  }
  const refusal = await refusalOf(request, response);
  return refusal.missing ? new NoRegistryError(refusal) : refusal;
}

interface Exchange {
  readonly request: HttpRequest;
  readonly response: HttpResponse;
}

async function pulled(
  { base, transport }: Probe,
  version: string | undefined,
  signal: AbortSignal | undefined,
): Promise<Exchange> {
  const send = async (request: HttpRequest) => ({ request, response: await transport(request) });
  if (version === undefined)
    return send({ method: 'GET', url: new URL('tags/list?n=1', base), signal });
  const url = new URL(`manifests/${version}`, base);
  const headers = { accept: ACCEPTED_MANIFESTS };
  const head = await send({ method: 'HEAD', url, headers, signal });
  if (!isHeadRefused(head.response)) return head;
  await head.response.discard();
  return send({ method: 'GET', url, headers, signal });
}

/** Why a right is not given: with 401 a registry refuses a wrong login, and also a right one that may not do this. */
async function refusalFor(
  right: Right,
  probe: Probe,
  refusal: RegistryError,
  signal: AbortSignal | undefined,
): Promise<StoreError> {
  if (right === 'push' && refusal.missing) return new MissingRepositoryError(refusal);
  if (refusal.status !== 401 || !probe.login.credential) return refusal;
  // The registry has asked for the login by now, so that it is shown at the door too.
  const refusedAtDoor = await refusalAtDoor(probe, signal);
  return refusedAtDoor ? refusal : new MissingRightError(right, refusal);
}
