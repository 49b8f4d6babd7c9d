import { setTimeout as sleep } from 'node:timers/promises';
import { isTransient } from '../oci/errors.ts';
import { isTransientStatus } from './errors.ts';
import type { HttpRequest, HttpResponse, Layer } from './transport.ts';

/** How long the pauses grow: doubled each time, with jitter. */
export interface Backoff {
  readonly firstDelayMs: number;
  readonly maximumDelayMs: number;
}

/** How often a thing is tried again, and with which pauses. */
export interface RetryPolicy extends Backoff {
  readonly retries: number;
}

export const REQUEST_RETRIES: RetryPolicy = {
  retries: 3,
  firstDelayMs: 250,
  maximumDelayMs: 10_000,
};

/** The pause before retry number `attempt` (from 0): between half and the whole of the doubled delay. */
export function delayBefore(attempt: number, { firstDelayMs, maximumDelayMs }: Backoff): number {
  const full = Math.min(maximumDelayMs, firstDelayMs * 2 ** attempt);
  return full / 2 + (Math.random() * full) / 2;
}

/**
 * A layer that sends a request again after 408, 429, 5xx and network errors. A body that is opened by a
 * function is sent once only: what the other side already has of it is not known here.
 */
export function retried(policy: RetryPolicy): Layer {
  return (next) => async (request) => {
    const retries = typeof request.body === 'function' ? 0 : policy.retries;
    for (let attempt = 0; ; attempt += 1) {
      const last = attempt >= retries;
      const response = await attemptOnce(() => next(request), last);
      if (response && (last || !isTransientStatus(response.status))) return response;
      await response?.discard();
      await pause(attempt, policy, request);
    }
  };
}

async function attemptOnce(
  send: () => Promise<HttpResponse>,
  last: boolean,
): Promise<HttpResponse | undefined> {
  try {
    return await send();
  } catch (error) {
    if (last || !isTransient(error)) throw error;
    return undefined;
  }
}

async function pause(attempt: number, policy: RetryPolicy, { signal }: HttpRequest): Promise<void> {
  await sleep(delayBefore(attempt, policy), undefined, signal ? { signal } : {});
}
