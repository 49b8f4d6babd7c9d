import { InterruptedError } from '../copy/errors.ts';
import type { Task } from '../copy/task.ts';
import type { Verdict } from '../copy/verify.ts';
import { formatReference } from '../oci/reference.ts';
import { printable } from '../text/printable.ts';
import type { LinesOptions } from './lines.ts';

const STATUS_WIDTH = 11;
// The report has all of them.
const SHOWN_FAULTS = 3;

/** Writes one plain line for each image that is not as it should be, as soon as it is known. */
export function showVerdicts({
  stream,
  explain,
}: LinesOptions): (task: Task, verdict: Verdict) => void {
  return ({ source, destination }, verdict) => {
    const rest = restOf(verdict, explain);
    if (rest === undefined) return;
    const names = `${formatReference(source)} -> ${formatReference(destination)}`;
    stream.write(`${verdict.status.padEnd(STATUS_WIDTH)}${names}${rest}\n`);
  };
}

/** What stands behind the two references; undefined for an image that deserves no line. */
function restOf(verdict: Verdict, explain: LinesOptions['explain']): string | undefined {
  switch (verdict.status) {
    case 'identical':
    case 'converted':
      return undefined;
    case 'missing':
      return '';
    case 'different':
      return `  ${verdict.destinationDigest} instead of ${verdict.sourceDigest}`;
    case 'incomplete': {
      const shown = verdict.faults.slice(0, SHOWN_FAULTS).map((fault) => printable(fault));
      const more = verdict.faults.length - shown.length;
      return `  ${shown.join('; ')}${more > 0 ? `; and ${more} more` : ''}`;
    }
    case 'failed':
      return verdict.error instanceof InterruptedError
        ? undefined
        : ` : ${printable(explain(verdict.error))}`;
  }
}
