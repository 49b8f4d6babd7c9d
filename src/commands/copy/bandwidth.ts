import { UsageError } from '../errors.ts';

const FORM = /^(\d+(?:\.\d+)?) ?(k|M|G|Ki|Mi|Gi)?(B|bit)?(?:\/s)?$/;
const FACTORS: Readonly<Record<string, number>> = {
  ...{ k: 1e3, M: 1e6, G: 1e9 },
  ...{ Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30 },
};

/**
 * Reads a rate, in bytes a second: `50MiB/s`, `50MB/s`, `400Mbit/s`, `50Mi`, `1000000`.
 *
 * @throws {UsageError} it is no rate, or none at all
 */
export function parseBandwidth(text: string): number {
  const [, number = '', factor = '', unit = 'B'] = FORM.exec(text.trim()) ?? [];
  const bytes = (Number(number) * (FACTORS[factor] ?? 1)) / (unit === 'bit' ? 8 : 1);
  if (number !== '' && bytes >= 1) return bytes;
  throw new UsageError(`--max-bandwidth: "${text}" is not a rate such as 50MiB/s or 400Mbit/s`);
}
