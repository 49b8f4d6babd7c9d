import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CopyEvent } from '../../src/copy/events.ts';
import { MemoryError, openMemory } from '../support/memory.ts';
import { image, seed, task } from './corpus.ts';
import { copyTasks, lanes, statuses } from './run.ts';

const tags = ['1', '2', '3', '4'];
const tasks = tags.map((tag) => task(`src.test/app:${tag}`, `dst.test/app:${tag}`));

function filled() {
  const memory = openMemory();
  for (const tag of tags) seed(memory, `src.test/app:${tag}`, image(['base', tag]));
  return memory;
}

function finishedTags(events: readonly CopyEvent[]) {
  return events.flatMap((event) => (event.kind === 'finished' ? [event.task.source.tag] : []));
}

/** The names of the errors of failed images. */
function faults(outcomes: Awaited<ReturnType<typeof copyTasks>>['outcomes']) {
  return outcomes.flatMap((outcome) =>
    outcome.status === 'failed' ? [(outcome.error as Error).name] : [],
  );
}

test('An interrupted run keeps what is done, and leaves the rest without a word', async () => {
  const memory = filled();
  const controller = new AbortController();
  const onEvent = (event: CopyEvent) => {
    if (event.kind === 'finished') controller.abort();
  };

  const { outcomes, events } = await copyTasks(tasks, memory.ends, {
    ...{ signal: controller.signal, images: lanes(1), onEvent },
  });

  assert.deepEqual(statuses(outcomes), ['copied', 'failed', 'failed', 'failed']);
  assert.deepEqual(faults(outcomes), Array(3).fill('InterruptedError'));
  assert.deepEqual(finishedTags(events), ['1']);
});

test('The next run goes on from there', async () => {
  const memory = filled();
  const controller = new AbortController();
  const onEvent = (event: CopyEvent) => {
    if (event.kind === 'finished') controller.abort();
  };
  await copyTasks(tasks, memory.ends, {
    ...{ signal: controller.signal, images: lanes(1), blobs: lanes(1), onEvent },
  });
  const uploadsBefore = memory.arrivals.length;

  const { outcomes } = await copyTasks(tasks, memory.ends);

  assert.deepEqual(statuses(outcomes), ['skipped', 'copied', 'copied', 'copied']);
  assert.equal(new Set(memory.arrivals).size, memory.arrivals.length);
  assert.ok(memory.arrivals.length > uploadsBefore);
});

test('A run that is interrupted while it looks copies nothing', async () => {
  const memory = filled();
  const controller = new AbortController();
  memory.interfere(() => controller.abort());

  const { outcomes, events } = await copyTasks(tasks, memory.ends, {
    signal: controller.signal,
  });

  assert.deepEqual(faults(outcomes), Array(4).fill('InterruptedError'));
  assert.deepEqual(finishedTags(events), []);
  assert.equal(memory.arrivals.length, 0);
});

test('A run that is interrupted in the middle of a blob sets no tag and tries nothing again', async () => {
  const memory = filled();
  const controller = new AbortController();
  const onEvent = (event: CopyEvent) => {
    if (event.kind === 'moving') controller.abort();
  };

  const { outcomes, events } = await copyTasks(tasks, memory.ends, {
    ...{ signal: controller.signal, retries: 3, onEvent },
  });

  assert.deepEqual(faults(outcomes), Array(4).fill('InterruptedError'));
  assert.equal(memory.repository('dst.test/app').tags.size, 0);
  assert.ok(!events.some(({ kind }) => kind === 'retrying'));
});

test('An interruption ends the pause before a retry at once', { timeout: 10_000 }, async () => {
  const memory = filled();
  const controller = new AbortController();
  memory.interfere(({ operation }) => {
    if (operation === 'putManifest') throw new MemoryError('UNAVAILABLE', 'transient');
  });
  const onEvent = (event: CopyEvent) => {
    if (event.kind === 'retrying') setImmediate(() => controller.abort());
  };

  const { outcomes } = await copyTasks(tasks.slice(0, 1), memory.ends, {
    ...{ signal: controller.signal, retries: 3, delayBefore: () => 3_600_000, onEvent },
  });

  assert.deepEqual(faults(outcomes), ['InterruptedError']);
  assert.equal(outcomes[0]?.attempts, 1);
});

test('Images that were found unchanged count as done, also in an interrupted run', async () => {
  const memory = filled();
  seed(memory, 'dst.test/app:1', image(['base', '1']));
  const controller = new AbortController();
  const onEvent = (event: CopyEvent) => {
    if (event.kind === 'planned') controller.abort();
  };

  const { outcomes } = await copyTasks(tasks, memory.ends, {
    ...{ signal: controller.signal, onEvent },
  });

  assert.deepEqual(statuses(outcomes), ['skipped', 'failed', 'failed', 'failed']);
});
