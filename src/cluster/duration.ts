import { ClusterError } from './errors.ts';

const UNITS_MS: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 };
const PART = /(\d+(?:\.\d+)?)(ms|h|m|s)/g;

/**
 * Reads `--request-timeout` as kubectl does: whole seconds, or a duration such as `1m30s`. Zero means no limit.
 *
 * @returns milliseconds; undefined for no limit
 * @throws {ClusterError} it is no duration
 */
export function requestTimeoutMs(text: string): number | undefined {
  const parts = [...text.matchAll(PART)];
  const isDuration = parts.length > 0 && parts.map(([part]) => part).join('') === text;
  if (!isDuration && !/^\d+$/.test(text))
    throw new ClusterError('configuration', `"${text}" is not a request timeout`, {
      hint: 'Give whole seconds, or a duration such as 30s or 2m.',
    });
  const milliseconds = isDuration
    ? parts.reduce((sum, [, amount, unit = '']) => sum + Number(amount) * (UNITS_MS[unit] ?? 0), 0)
    : Number(text) * 1000;
  return milliseconds === 0 ? undefined : milliseconds;
}
