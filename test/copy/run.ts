import pLimit from 'p-limit';
import { type CopyOptions, copyAll } from '../../src/copy/copy.ts';
import type { Ends } from '../../src/copy/ends.ts';
import type { CopyEvent, Outcome } from '../../src/copy/events.ts';
import type { Limit, Room } from '../../src/copy/limit.ts';
import { Queue } from '../../src/copy/queue.ts';
import type { Task } from '../../src/copy/task.ts';

export interface RunOptions extends Partial<CopyOptions> {
  /** called with each event as it comes */
  readonly onEvent?: (event: CopyEvent) => void;
}

type Plan = Extract<CopyEvent, { kind: 'planned' }>;

export interface CopyRun {
  /** what it had to move, as far as it was known before */
  readonly plan: Plan | undefined;
  readonly outcomes: readonly Outcome[];
  readonly events: readonly CopyEvent[];
}

/** Plans and copies, as the command does; without pauses between retries. */
export async function copyTasks(
  tasks: readonly Task[],
  ends: Ends,
  options: RunOptions = {},
): Promise<CopyRun> {
  const { onEvent, ...changes } = options;
  const events: CopyEvent[] = [];
  const listener = (event: CopyEvent): void => {
    events.push(event);
    onEvent?.(event);
  };
  const { signal = new AbortController().signal } = changes;
  const outcomes = await copyAll(tasks, {
    ...{
      ends,
      known: atMost(100),
      looks: atMost(16),
      images: lanes(7),
      ahead: true,
      blobs: lanes(12),
      retries: 0,
      delayBefore: () => 0,
    },
    ...{ listener, signal },
    ...changes,
  });
  return { plan: events.find((event) => event.kind === 'planned'), outcomes, events };
}

export function atMost(count: number): Room {
  const limit = pLimit(count);
  const run: Limit = (work) => limit(work);
  return Object.assign(run, { count });
}

/** A queue that does so much at a time. */
export function lanes(count: number): Queue {
  return new Queue({ lanes: count });
}

/** What outcomes say in one word each. */
export function statuses(outcomes: readonly Outcome[]): readonly string[] {
  return outcomes.map(({ status }) => status);
}

/** What the errors of failed images say, one each. */
export function reasons(outcomes: readonly Outcome[]): readonly string[] {
  return outcomes.flatMap((outcome) =>
    outcome.status === 'failed' ? [(outcome.error as Error).message] : [],
  );
}
