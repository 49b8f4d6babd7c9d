import type { Census } from './census.ts';
import type { Ends } from './ends.ts';
import type { Listener } from './events.ts';
import { type Inspect, inspector, type Step } from './inspect.ts';
import type { Limit } from './limit.ts';
import type { Task } from './task.ts';
import { blobsOf } from './tree.ts';

export interface PlanOptions {
  readonly ends: Ends;
  /** how many tasks are looked at at a time */
  readonly looks: Limit;
  readonly listener: Listener;
  readonly signal: AbortSignal;
  /** told what is found */
  readonly census?: Census;
}

/** Looks at the tasks of one run. */
export interface Planner {
  /** What has to be done for a task; one that cannot be looked at is a failed step. */
  look(task: Task): Promise<Step>;
  /** Looks once more; throws where that fails. */
  readonly inspect: Inspect;
}

/**
 * Plans a run while it is under way: each task is looked at from both sides, and once all were, it tells how
 * many unique blobs and bytes that is. Each blob counts once for each destination registry; what is there
 * already is not known then.
 *
 * @param images - how many tasks there are in all
 */
export function planner(
  images: number,
  { ends, looks, listener, signal, census }: PlanOptions,
): Planner {
  const inspect = inspector(ends, census?.asked);
  const unique = new Set<string>();
  let bytes = 0;
  let inspected = 0;

  const tell = (): void => {
    if (inspected === images) listener({ kind: 'planned', images, blobs: unique.size, bytes });
  };
  const count = (step: Step): void => {
    if (step.kind !== 'copy') return;
    for (const blob of blobsOf(step.tree)) {
      const known = unique.size;
      unique.add(`${step.task.destination.registry}@${blob.digest}`);
      if (unique.size > known) bytes += blob.size;
    }
  };

  tell();
  return {
    inspect,
    look: (task) =>
      looks(async () => {
        const step = await inspect(task, signal).catch(
          (error: unknown): Step => ({ task, kind: 'failed', error }),
        );
        inspected += 1;
        census?.looked(step);
        count(step);
        listener({ kind: 'inspected', task, images });
        tell();
        return step;
      }),
  };
}
