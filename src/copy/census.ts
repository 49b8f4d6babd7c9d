import type { Descriptor } from '../oci/descriptor.ts';
import { formatName } from '../oci/reference.ts';
import type { Step } from './inspect.ts';
import type { Task } from './task.ts';
import { blobsOf } from './tree.ts';

// A host that is waited for, or that is slow, must not hold up what moves between others.
const NEWS_MS = 2_000;

/** Which repositories a destination registry has already, and which blobs the images of a run need there. */
export interface Census {
  /** The destination of a task was asked; `populated`: its repository holds something. */
  asked(task: Task, populated: boolean): void;
  /** A task was looked at from both sides. */
  looked(step: Step): void;
  /** Fulfilled once enough is known to say where blobs may be. */
  readonly settled: Promise<void>;
  /** The populated repositories of a registry whose images need a blob: it may be there already. */
  candidates(blob: Descriptor, registry: string): readonly string[];
}

/**
 * Takes the census of one run. Where a destination holds nothing of what the run names, blobs may move as soon as all
 * destinations were asked. Otherwise all images are looked at first, so that no blob is sent to one repository that
 * its neighbor turns out to hold; the order in which images come makes no difference then.
 *
 * @param images - how many are looked at before any has arrived
 */
export function census(images: number): Census {
  const populated = new Set<string>();
  const needs = new Map<string, Set<string>>();
  const unnoted: Extract<Step, { kind: 'copy' }>[] = [];
  const { promise: settled, resolve } = Promise.withResolvers<void>();
  const askedTasks = new Set<Task>();
  let lookedAt = 0;
  let isSettled = false;
  let timer: NodeJS.Timeout | undefined;

  const settle = (): void => {
    clearTimeout(timer);
    if (isSettled) return;
    const isEmpty = askedTasks.size >= images && populated.size === 0;
    if (lookedAt >= images || isEmpty) end();
    else timer = setTimeout(end, NEWS_MS);
  };
  const end = (): void => {
    resolve();
    unnoted.length = 0;
    isSettled = true;
  };
  const note = ({ task: { destination }, tree }: Extract<Step, { kind: 'copy' }>): void => {
    for (const { digest } of blobsOf(tree)) {
      const key = `${destination.registry}@${digest}`;
      needs.set(key, (needs.get(key) ?? new Set()).add(destination.repository));
    }
  };

  settle();
  return {
    settled,
    asked: (task, isPopulated) => {
      if (!isSettled) askedTasks.add(task);
      if (isPopulated) {
        populated.add(formatName(task.destination));
        for (const step of unnoted.splice(0)) note(step);
      }
      settle();
    },
    looked: (step) => {
      lookedAt += 1;
      if (!isSettled) askedTasks.add(step.task);
      // Most runs go to a registry that has nothing yet: there is nothing to remember for them.
      if (step.kind === 'copy') {
        if (populated.size > 0) note(step);
        else if (!isSettled) unnoted.push(step);
      }
      settle();
    },
    candidates: ({ digest }, registry) => {
      const repositories = needs.get(`${registry}@${digest}`) ?? [];
      return [...repositories].filter((repository) => populated.has(`${registry}/${repository}`));
    },
  };
}
