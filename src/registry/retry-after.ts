/** What of an answer says how fast we may go. */
interface Answered {
  readonly status: number;
  header(name: string): string | undefined;
}

/** Whether an answer tells us to slow down. Huawei's SWR says 503 where others say 429. */
export function isThrottle({ status }: Pick<Answered, 'status'>): boolean {
  return status === 429 || status === 503;
}

const TROUBLES = new Set([408, 429, 500, 502, 503, 504]);

/**
 * What Retry-After asks for, of an answer after which asking again makes sense; in milliseconds, undefined where it
 * asks for nothing.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9110#name-retry-after
 */
export function retryAfterMs(response: Answered): number | undefined {
  if (!TROUBLES.has(response.status)) return undefined;
  const value = response.header('retry-after')?.trim();
  if (!value) return undefined;
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(ms, 0), LONGEST_MS);
}

// Longer than any window of any registry.
const LONGEST_MS = 30 * 24 * 3_600_000;

/** Who asks for more than this is not waited for: the run says until when, and ends. */
export const LONGEST_WAIT_MS = 600_000;
