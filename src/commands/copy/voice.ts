import type { InvalidRuleError } from '../../copy/errors.ts';
import { formatDuration } from '../../progress/format.ts';
import type { Wait } from '../../registry/pace.ts';
import { explain } from '../explain.ts';

/** What `copy`, `copy plan` and `copy verify` say to people, on the right stream. */
export interface Voice {
  /** where everything goes that is said of images */
  readonly stream: NodeJS.WriteStream;
  say(line: string): void;
  ruleFailed(failure: InvalidRuleError): void;
  waiting(wait: Wait): void;
  warn(error: unknown): void;
}

/** @param json - the report goes to standard output alone, everything else to standard error */
export function openVoice(json: boolean): Voice {
  const stream = json ? process.stderr : process.stdout;
  const complain = (line: string) => process.stderr.write(`${line}\n`);
  return {
    stream,
    say: (line) => stream.write(`${line}\n`),
    ruleFailed: ({ place, message }) =>
      complain(
        `${place.file}:${place.line}:${place.column}: "${place.source}" -> "${place.destination}": ${message}`,
      ),
    waiting: (wait) => complain(`${wait.host}: ${reasonOf(wait)}`),
    warn: (error) => {
      const { message, hint } = explain(error);
      complain(`warning: ${message}${hint ? `; ${hint}` : ''}`);
    },
  };
}

function reasonOf({ status, waitMs, budget }: Wait): string {
  const wait = `waiting ${formatDuration(waitMs)}`;
  if (status === undefined) return `${wait}, it cannot be reached`;
  if (!budget) return `${wait}, it answered ${status}`;
  const used = `its ${budget.limit} pulls in ${formatDuration(budget.windowMs)} are used up`;
  return `${wait}, until ${timeOfDay(Date.now() + waitMs)}: ${used}`;
}

function timeOfDay(at: number): string {
  return new Date(at).toTimeString().slice(0, 8);
}
