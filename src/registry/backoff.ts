/** How long pauses grow: doubled each time, up to a limit. */
export interface Backoff {
  readonly firstDelayMs: number;
  readonly maximumDelayMs: number;
}

/** The pause before retry number `attempt` (from 0): between half and the whole of the doubled delay. */
export function delayBefore(attempt: number, { firstDelayMs, maximumDelayMs }: Backoff): number {
  const full = Math.min(maximumDelayMs, firstDelayMs * 2 ** attempt);
  return full / 2 + (Math.random() * full) / 2;
}
