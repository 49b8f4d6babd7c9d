import { setTimeout as sleep } from 'node:timers/promises';
import type { HttpResponse, Layer } from './transport.ts';

/** A host asked everybody to wait. */
export interface Wait {
  readonly host: string;
  readonly status: number;
  readonly waitMs: number;
}

// A server that asks for more is asked again after this time; what it then says is reported.
const MAXIMUM_WAIT_MS = 120_000;

/**
 * A layer, one for each host, that makes all requests wait when the host answers 429 or 503 with
 * Retry-After: one request that is told to slow down speaks for all the others.
 */
export function paced(onWait: (wait: Wait) => void): Layer {
  let openAt = 0;
  return (next) => async (request) => {
    for (let wait = openAt - Date.now(); wait > 0; wait = openAt - Date.now())
      await sleep(wait, undefined, request.signal ? { signal: request.signal } : {});
    const response = await next(request);
    const waitMs = retryAfterMs(response) ?? 0;
    const now = Date.now();
    // All requests that were on their way get the same answer; the first one is news.
    if (waitMs > 0 && openAt <= now)
      onWait({ host: request.url.host, status: response.status, waitMs });
    openAt = Math.max(openAt, now + waitMs);
    return response;
  };
}

/** What Retry-After of a 429 or 503 asks for: seconds or a date. */
export function retryAfterMs(response: HttpResponse): number | undefined {
  if (response.status !== 429 && response.status !== 503) return undefined;
  const value = response.header('retry-after')?.trim();
  if (!value) return undefined;
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(ms, 0), MAXIMUM_WAIT_MS);
}
