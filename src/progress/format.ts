const UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB', 'EB'];
const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Decimal units, as docker prints sizes: `999 B`, `12.3 MB`. Never longer than eight characters below 1000 EB. */
export function formatBytes(bytes: number): string {
  let amount = Math.max(0, bytes);
  let unit = 0;
  // 999.95 would be printed as 1000.0
  while (amount >= (unit === 0 ? 999.5 : 999.95) && unit < UNITS.length - 1) {
    amount /= 1000;
    unit += 1;
  }
  return `${amount.toFixed(unit === 0 ? 0 : 1)} ${UNITS[unit]}`;
}

/** Bytes in a second: `84.1 MB/s`. */
export function formatRate(bytesPerSecond: number): string {
  return `${formatBytes(bytesPerSecond)}/s`;
}

/** `0.4s`, `45s`, `2m 05s`, `1h 02m` or `3d 04h`: the two largest units, never longer than seven characters below 100 days. */
export function formatDuration(milliseconds: number): string {
  const duration = Math.max(0, milliseconds);
  if (duration < 9950) return `${(duration / SECOND).toFixed(1)}s`;
  const seconds = Math.round(duration / SECOND) * SECOND;
  if (seconds < MINUTE) return `${seconds / SECOND}s`;
  if (seconds < HOUR) return pair(seconds, MINUTE, 'm', SECOND, 's');
  const minutes = Math.round(duration / MINUTE) * MINUTE;
  if (minutes < DAY) return pair(minutes, HOUR, 'h', MINUTE, 'm');
  return pair(Math.round(duration / HOUR) * HOUR, DAY, 'd', HOUR, 'h');
}

/** Time left, coarser the longer it is: digits that nobody can know would only flicker. */
export function formatTimeLeft(milliseconds: number): string {
  const step = [
    { below: MINUTE, step: SECOND },
    { below: 10 * MINUTE, step: 5 * SECOND },
    { below: HOUR, step: MINUTE },
    { below: DAY, step: 5 * MINUTE },
  ].find(({ below }) => milliseconds < below)?.step;
  const rounded = Math.max(SECOND, roundTo(milliseconds, step ?? HOUR));
  if (rounded < MINUTE) return `${rounded / SECOND}s`;
  if (rounded >= 10 * MINUTE && rounded < HOUR) return `${rounded / MINUTE}m`;
  return formatDuration(rounded);
}

/** `  0%` to `100%`, rounded down: 100 means all of it. */
export function formatPercent(part: number, whole: number): string {
  const percent = whole <= 0 ? 100 : Math.floor((Math.min(part, whole) / whole) * 100);
  return `${Math.max(0, percent)}%`.padStart(4);
}

/** A bar of `width` cells. The two parts differ in weight, so that it can be read without color. */
export function formatBar(part: number, whole: number, width: number): string {
  const share = whole <= 0 ? 1 : Math.min(1, Math.max(0, part / whole));
  const filled = Math.floor(share * width);
  return '━'.repeat(filled) + '─'.repeat(width - filled);
}

function pair(duration: number, large: number, one: string, small: number, other: string): string {
  const rest = (duration % large) / small;
  return `${Math.floor(duration / large)}${one} ${String(rest).padStart(2, '0')}${other}`;
}

function roundTo(value: number, step: number): number {
  return Math.round(value / step) * step;
}

/** `1 image`, `2 images`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
