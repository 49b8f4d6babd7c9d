import { setTimeout as sleep } from 'node:timers/promises';
import { isTransient } from '../oci/errors.ts';
import { type Backoff, delayBefore } from './backoff.ts';
import { spentBudget } from './budget.ts';
import { isTransientStatus, NetworkError } from './errors.ts';
import type { Paces, Turn } from './pace.ts';
import { isThrottle, LONGEST_WAIT_MS, retryAfterMs } from './retry-after.ts';
import type { HttpRequest, HttpResponse, Layer, Transport } from './transport.ts';

/** How often a thing is tried again, and with which pauses. */
export interface RetryPolicy extends Backoff {
  readonly retries: number;
}

export const REQUEST_RETRIES: RetryPolicy = {
  retries: 3,
  firstDelayMs: 250,
  maximumDelayMs: 10_000,
};

// A host that refuses one request again and again while it takes others has something against this one.
const REFUSALS = 8;

/**
 * A layer that sends requests at the pace of their host, and again after 408, 429, 5xx and network errors. Being
 * told to slow down costs no retry, nor does a host that is away for a while; the pace of the host decides how long
 * that goes on. A body that is opened by a function is sent once only: what the other side already has of it is not
 * known here.
 *
 * @param paces - how fast each host is asked, and how long it is waited for
 */
export function retried(policy: RetryPolicy, paces: Paces): Layer {
  return (next) => async (request) => {
    const pace = paces.of(request.url);
    const isOnce = request.once || typeof request.body === 'function';
    let failures = 0;
    for (let refusals = 0; ; ) {
      const turn = await pace.enter(request, failures + refusals > 0);
      const end = await attempt(next, request, turn);
      if (isOnce || !isWorthAnother(end, request)) return resultOf(end);
      const refused = isRefused(end, request);
      if (refused) refusals += 1;
      else if (!pace.isPatient) failures += 1;
      if (failures > policy.retries || refusals > REFUSALS || (refused && !pace.isPatient))
        return resultOf(end);
      await end.response?.discard();
      // Who was refused waits with all others, for as long as the host wants.
      if (!refused) await pause(failures - 1, policy, request);
    }
  };
}

type End =
  | { readonly response: HttpResponse; readonly error?: undefined }
  | { readonly response?: undefined; readonly error: unknown };

async function attempt(next: Transport, request: HttpRequest, turn: Turn): Promise<End> {
  try {
    const response = await next(request);
    // Behind a redirect it is somebody else who answers, or does not.
    turn.answered(response.url.host === request.url.host ? response : passedOn(response));
    return { response };
  } catch (error) {
    const own = error instanceof NetworkError && error.host === request.url.host;
    turn.failed(own ? error : undefined);
    return { error };
  }
}

/** What the registry itself has answered, before a storage service did. */
function passedOn(response: HttpResponse): HttpResponse {
  return { ...response, status: 307 };
}

function isWorthAnother({ response, error }: End, { method, url }: HttpRequest): boolean {
  if (!response) return isTransient(error);
  // The address of a blob at a storage service ends; the registry gives another one. For HEAD it may never be good.
  const isElsewhere = response.url.origin !== url.origin;
  if (response.status === 403 && isElsewhere && method === 'GET') return true;
  const told = retryAfterMs(response);
  const isHopeless =
    told === undefined ? spentBudget(response) !== undefined : told > LONGEST_WAIT_MS;
  return isTransientStatus(response.status) && !isHopeless;
}

/** Whether the host itself, and not a service that it redirects to, tells us to slow down. */
function isRefused({ response }: End, { url }: HttpRequest): boolean {
  return response !== undefined && response.url.host === url.host && isThrottle(response);
}

function resultOf({ response, error }: End): HttpResponse {
  if (response) return response;
  throw error;
}

async function pause(attempt: number, policy: RetryPolicy, { signal }: HttpRequest): Promise<void> {
  const delayMs = delayBefore(Math.max(0, attempt), policy);
  await sleep(delayMs, undefined, signal ? { signal } : {});
}
