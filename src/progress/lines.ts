import type { CopyEvent, Listener, Outcome } from '../copy/events.ts';
import type { Task } from '../copy/task.ts';
import { formatReference } from '../oci/reference.ts';
import { printable } from '../text/printable.ts';
import { formatBytes, formatTimeLeft } from './format.ts';
import { fitEnd, fitReference, widthOf } from './width.ts';

/** Says in words why something failed: one line, without secrets. */
export type Explain = (error: unknown) => string;

/** Something that shows what happens until it is told to stop. */
export interface Reporter {
  readonly listener: Listener;
  /** Shows what is still to be shown; a second call does nothing more. */
  stop(): Promise<void> | void;
}

export interface LinesOptions {
  readonly stream: { write(text: string): unknown };
  readonly explain: Explain;
}

type Status = Outcome['status'] | 'retry';

/** What is written of an event, before it is fitted into a line. */
export interface Line {
  readonly status: Status;
  readonly task: Task;
  /** everything after the two references, with the space before it */
  readonly rest: string;
}

const STATUS_WIDTH = 9;
const ARROW = ' -> ';

/** Writes one plain line for each finished image and for each retry, and nothing else. */
export function showLines({ stream, explain }: LinesOptions): Reporter {
  return {
    listener(event) {
      const line = lineOf(event, explain);
      if (line) stream.write(`${formatLine(line)}\n`);
    },
    stop() {},
  };
}

/** The line that an event deserves; undefined where it deserves none. */
export function lineOf(event: CopyEvent, explain: Explain): Line | undefined {
  if (event.kind === 'retrying') {
    const { task, attempt, delayMs, error } = event;
    const again = `attempt ${attempt} failed, again in ${formatTimeLeft(delayMs)}`;
    return { status: 'retry', task, rest: `  ${again} : ${printable(explain(error))}` };
  }
  if (event.kind !== 'finished') return undefined;
  const { task, outcome } = event;
  return { status: outcome.status, task, rest: restOf(outcome, explain) };
}

/**
 * `copied   SOURCE -> DESTINATION  12.3 MB`. Where that is wider than `width` columns, the references are
 * cut; where it is the rest that is long, the destination makes room for it.
 */
export function formatLine(line: Line, width = Number.POSITIVE_INFINITY): string {
  const status = line.status.padEnd(STATUS_WIDTH);
  const source = formatReference(line.task.source);
  const destination = formatReference(line.task.destination);
  const whole = status + source + ARROW + destination + line.rest;
  if (widthOf(whole) <= width) return whole;
  if (widthOf(line.rest) > width / 3) {
    const label = fitReference(source, Math.floor(width / 3));
    return fitEnd(status + label + line.rest, width);
  }
  const room = width - status.length - ARROW.length - widthOf(line.rest);
  const sourceWidth = Math.min(
    source.length,
    Math.max(room - destination.length, Math.floor(room / 2)),
  );
  const fitted = fitReference(destination, room - sourceWidth);
  return fitEnd(status + fitReference(source, sourceWidth) + ARROW + fitted + line.rest, width);
}

function restOf(outcome: Outcome, explain: Explain): string {
  const notes = outcome.notes.map((note) => ` (${printable(note)})`).join('');
  switch (outcome.status) {
    case 'copied':
      return `  ${formatBytes(outcome.bytes)}${notes}`;
    case 'skipped':
      return `  already there${notes}`;
    case 'failed':
      return ` : ${printable(explain(outcome.error))}${notes}`;
  }
}
