import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CopyEvent } from '../../src/copy/events.ts';
import { isTransient } from '../../src/oci/errors.ts';
import { MemoryError, openMemory } from '../support/memory.ts';
import { image, index, layer, seed, task } from './corpus.ts';
import { atMost, copyTasks, lanes, reasons, statuses } from './run.ts';

const one = task('src.test/app:1', 'dst.test/app:1');

/** How often each kind of event came. */
function kinds(events: readonly CopyEvent[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { kind } of events) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}

test('Nothing to copy is nothing done', async () => {
  const memory = openMemory();

  const { plan, outcomes, events } = await copyTasks([], memory.ends);

  assert.deepEqual(plan, { kind: 'planned', images: 0, blobs: 0, bytes: 0 });
  assert.deepEqual(outcomes, []);
  assert.deepEqual(events, [{ kind: 'planned', images: 0, blobs: 0, bytes: 0 }]);
});

test('An image that is copied tells its digest, its bytes and its attempts', async () => {
  const memory = openMemory();
  const content = image(['a', 'bb']);
  seed(memory, 'src.test/app:1', content);

  const { plan, outcomes } = await copyTasks([one], memory.ends);

  const bytes = content.blobs.reduce((sum, { size }) => sum + size, 0);
  assert.deepEqual(outcomes, [
    {
      status: 'copied',
      sourceDigest: content.digest,
      destinationDigest: content.digest,
      ...{ bytes, attempts: 1, notes: [] },
    },
  ]);
  assert.equal(plan?.bytes, bytes);
});

test('An unchanged image costs one HEAD on each side and nothing else', async () => {
  const memory = openMemory();
  const content = image(['a']);
  seed(memory, 'src.test/app:1', content);
  seed(memory, 'dst.test/app:1', content);

  const { outcomes } = await copyTasks([one], memory.ends);

  assert.deepEqual(statuses(outcomes), ['skipped']);
  assert.deepEqual(
    memory.calls.map(({ operation, repository }) => `${operation} ${repository}`).sort(),
    ['resolve dst.test/app', 'resolve src.test/app'],
  );
});

test('A second run repeats nothing that the first one did', async () => {
  const memory = openMemory();
  for (const tag of ['1', '2', '3']) seed(memory, `src.test/app:${tag}`, image(['a', tag]));
  const tasks = ['1', '2', '3'].map((tag) => task(`src.test/app:${tag}`, `dst.test/app:${tag}`));
  await copyTasks(tasks, memory.ends);
  const before = memory.calls.length;

  const { outcomes } = await copyTasks(tasks, memory.ends);

  assert.deepEqual(statuses(outcomes), ['skipped', 'skipped', 'skipped']);
  assert.equal(memory.calls.length - before, 6);
});

test('A tag that names something else at the destination is moved', async () => {
  const memory = openMemory();
  const content = image(['new']);
  seed(memory, 'src.test/app:1', content);
  seed(memory, 'dst.test/app:1', image(['old']));

  const { outcomes } = await copyTasks([one], memory.ends);

  assert.deepEqual(statuses(outcomes), ['copied']);
  assert.equal(memory.repository('dst.test/app').tags.get('1'), content.digest);
});

test('Outcomes come in the order of the tasks, and a bad image does not stop the others', async () => {
  const memory = openMemory();
  seed(memory, 'src.test/app:1', image(['a']));
  seed(memory, 'src.test/app:3', image(['c']));
  seed(memory, 'dst.test/app:3', image(['c']));
  const tasks = ['1', '2', '3'].map((tag) => task(`src.test/app:${tag}`, `dst.test/app:${tag}`));

  const { outcomes } = await copyTasks(tasks, memory.ends);

  assert.deepEqual(statuses(outcomes), ['copied', 'failed', 'skipped']);
  assert.deepEqual(reasons(outcomes), ['source src.test/app:2: refused with NOT_FOUND']);
});

test('A destination that does not let us look may still take the image', async () => {
  const memory = openMemory();
  seed(memory, 'src.test/app:1', image(['a']));
  memory.interfere(({ operation, repository }) => {
    if (operation === 'resolve' && repository === 'dst.test/app')
      throw new MemoryError('UNAUTHORIZED', 'forbidden');
  });

  const { outcomes } = await copyTasks([one], memory.ends);

  assert.deepEqual(statuses(outcomes), ['copied']);
});

test('A store that cannot be opened fails the images of that store', async () => {
  const memory = openMemory();
  seed(memory, 'src.test/app:1', image(['a']));
  const ends = {
    source: memory.ends.source,
    destination: () => Promise.reject(new MemoryError('UNAUTHORIZED')),
  };

  const { outcomes } = await copyTasks([one], ends);

  assert.deepEqual(reasons(outcomes), ['destination dst.test/app:1: refused with UNAUTHORIZED']);
});

test('Indexes that are nested too deeply are refused', async () => {
  const memory = openMemory();
  let content = image(['a']);
  for (let depth = 0; depth < 9; depth += 1) content = index([content]);
  seed(memory, 'src.test/app:1', content);

  const { outcomes } = await copyTasks([one], memory.ends);

  assert.match(reasons(outcomes)[0] ?? '', /nested more than 8 deep/);
});

test('Indexes that are nested eight deep are copied', async () => {
  const memory = openMemory();
  let content = image(['a']);
  for (let depth = 0; depth < 8; depth += 1) content = index([content]);
  seed(memory, 'src.test/app:1', content);

  const { outcomes } = await copyTasks([one], memory.ends);

  assert.deepEqual(statuses(outcomes), ['copied']);
});

test('A passing failure is tried again, and the attempts are counted', async () => {
  const memory = openMemory();
  seed(memory, 'src.test/app:1', image(['a']));
  let failures = 2;
  memory.interfere(({ operation }) => {
    if (operation !== 'putManifest' || failures === 0) return;
    failures -= 1;
    throw new MemoryError('UNAVAILABLE', 'transient');
  });
  const delays: number[] = [];
  const delayBefore = (retry: number) => {
    delays.push(retry);
    return 0;
  };

  const { outcomes, events } = await copyTasks([one], memory.ends, { retries: 3, delayBefore });

  const attempts = events.flatMap((event) => (event.kind === 'retrying' ? [event.attempt] : []));
  assert.deepEqual(statuses(outcomes), ['copied']);
  assert.equal(outcomes[0]?.attempts, 3);
  assert.deepEqual(attempts, [1, 2]);
  assert.deepEqual(delays, [0, 1]);
});

test('Bytes that an earlier attempt sent count for the image, and are not sent again', async () => {
  const memory = openMemory();
  const content = image(['a', 'b']);
  seed(memory, 'src.test/app:1', content);
  let failed = false;
  memory.interfere(({ operation }) => {
    if (operation !== 'putManifest' || failed) return;
    failed = true;
    throw new MemoryError('UNAVAILABLE', 'transient');
  });

  const { outcomes } = await copyTasks([one], memory.ends, { retries: 1 });

  const [outcome] = outcomes;
  const bytes = content.blobs.reduce((sum, { size }) => sum + size, 0);
  assert.equal(outcome?.status === 'copied' && outcome.bytes, bytes);
  assert.equal(memory.arrivals.length, content.blobs.length);
});

test('A failure while images are looked at is tried again, too', async () => {
  const memory = openMemory();
  seed(memory, 'src.test/app:1', image(['a']));
  let failed = false;
  memory.interfere(({ operation }) => {
    if (operation !== 'fetchManifest' || failed) return;
    failed = true;
    throw new MemoryError('UNAVAILABLE', 'transient');
  });

  const { outcomes } = await copyTasks([one], memory.ends, { retries: 1 });

  assert.deepEqual(statuses(outcomes), ['copied']);
  assert.equal(outcomes[0]?.attempts, 2);
});

test('A failure that stays is given up after the retries', async () => {
  const memory = openMemory();
  seed(memory, 'src.test/app:1', image(['a']));
  memory.interfere(({ operation }) => {
    if (operation === 'putManifest') throw new MemoryError('UNAVAILABLE', 'transient');
  });

  const { outcomes } = await copyTasks([one], memory.ends, { retries: 2 });

  const [outcome] = outcomes;
  assert.equal(outcome?.attempts, 3);
  assert.ok(outcome?.status === 'failed' && isTransient(outcome.error));
});

test('A refusal is not tried again', async () => {
  const memory = openMemory();
  seed(memory, 'src.test/app:1', image(['a']));
  memory.interfere(({ operation }) => {
    if (operation === 'putManifest') throw new MemoryError('DENIED', 'forbidden');
  });

  const { outcomes, events } = await copyTasks([one], memory.ends, { retries: 5 });

  assert.equal(outcomes[0]?.attempts, 1);
  assert.equal(kinds(events)['retrying'], undefined);
});

test('While one image waits to be tried again, its place is free for another', async () => {
  const memory = openMemory();
  seed(memory, 'src.test/app:1', image(['a']));
  seed(memory, 'src.test/app:2', image(['b']));
  let failed = false;
  memory.interfere(({ operation, subject }) => {
    if (operation !== 'putManifest' || subject !== '1' || failed) return;
    failed = true;
    throw new MemoryError('UNAVAILABLE', 'transient');
  });
  const tasks = [one, task('src.test/app:2', 'dst.test/app:2')];

  const { events } = await copyTasks(tasks, memory.ends, { retries: 1, images: lanes(1) });

  const finished = events.flatMap((event) =>
    event.kind === 'finished' ? [event.task.source.tag] : [],
  );
  assert.deepEqual(finished, ['2', '1']);
});

test('An image that fails waits for its other blobs: none of them moves on afterwards', async () => {
  const memory = openMemory();
  seed(memory, 'src.test/app:1', image(['bad', 'slow']));
  const slow = layer('slow').digest;
  let release = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  memory.interfere(({ operation, subject }) => {
    if (operation === 'putBlob' && subject === layer('bad').digest) {
      setImmediate(release);
      throw new MemoryError('DENIED');
    }
    return operation === 'putBlob' && subject === slow ? held : undefined;
  });

  const { outcomes, events } = await copyTasks([one], memory.ends);

  const last = events.at(-1);
  assert.deepEqual(statuses(outcomes), ['failed']);
  assert.equal(last?.kind, 'finished');
  assert.ok(memory.repository('dst.test/app').blobs.has(slow));
});

test('Blobs of the next images fill the lanes that those in flight leave empty', {
  timeout: 10_000,
}, async () => {
  const memory = openMemory();
  const tags = ['1', '2', '3'];
  for (const tag of tags) seed(memory, `src.test/app:${tag}`, image([tag], tag));
  const held = Promise.withResolvers<void>();
  memory.interfere(({ operation, subject }) =>
    operation === 'putManifest' && subject === '1' ? held.promise : undefined,
  );
  const sent = new Set<string>();
  const begun: (string | undefined)[] = [];
  const onEvent = (event: CopyEvent): void => {
    if (event.kind === 'started') begun.push(event.task.source.tag);
    if (event.kind !== 'placed') return;
    sent.add(event.blob.digest);
    if (sent.size === 2 * tags.length) held.resolve();
  };
  const tasks = tags.map((tag) => task(`src.test/app:${tag}`, `dst.test/app:${tag}`));

  const { outcomes } = await copyTasks(tasks, memory.ends, { images: lanes(1), onEvent });

  assert.deepEqual(statuses(outcomes), ['copied', 'copied', 'copied']);
  assert.equal(begun[0], '1');
});

test('Nothing of the next images is sent where that is not wanted', async () => {
  const memory = openMemory();
  const tags = ['1', '2', '3'];
  for (const tag of tags) seed(memory, `src.test/app:${tag}`, image([tag], tag));
  const inFlight = new Set<string>();
  let most = 0;
  const onEvent = (event: CopyEvent): void => {
    if (event.kind === 'moving') inFlight.add(event.task.source.tag ?? '');
    if (event.kind === 'finished') inFlight.delete(event.task.source.tag ?? '');
    most = Math.max(most, inFlight.size);
  };
  const tasks = tags.map((tag) => task(`src.test/app:${tag}`, `dst.test/app:${tag}`));

  await copyTasks(tasks, memory.ends, { images: lanes(1), ahead: false, onEvent });

  assert.equal(most, 1);
});

test('A blob that fails ahead of its image fails the image when its turn has come, and counts once', async () => {
  const memory = openMemory();
  for (const tag of ['1', '2']) seed(memory, `src.test/app:${tag}`, image([tag], tag));
  const bad = layer('2').digest;
  let failures = 0;
  memory.interfere(({ operation, subject }) => {
    if (operation !== 'putBlob' || subject !== bad || failures === 1) return;
    failures += 1;
    throw new MemoryError('UNAVAILABLE', 'transient');
  });
  const tasks = ['1', '2'].map((tag) => task(`src.test/app:${tag}`, `dst.test/app:${tag}`));

  const { outcomes } = await copyTasks(tasks, memory.ends, { images: lanes(1), retries: 1 });

  assert.deepEqual(statuses(outcomes), ['copied', 'copied']);
  assert.deepEqual(
    outcomes.map(({ attempts }) => attempts),
    [1, 2],
  );
});

test('What is known of images is held for no more of them than is said', async () => {
  const memory = openMemory();
  const tags = Array.from({ length: 12 }, (_, number) => `v${number}`);
  for (const tag of tags) seed(memory, `src.test/app:${tag}`, image([tag], tag));
  let known = 0;
  let most = 0;
  const onEvent = ({ kind }: CopyEvent): void => {
    if (kind === 'inspected') known += 1;
    if (kind === 'finished') known -= 1;
    most = Math.max(most, known);
  };
  const tasks = tags.map((tag) => task(`src.test/app:${tag}`, `dst.test/app:${tag}`));

  const { plan } = await copyTasks(tasks, memory.ends, { known: atMost(3), onEvent });

  assert.ok(most <= 3, `${most} images were known`);
  assert.equal(plan?.images, 12);
});

test('No more images are in flight than were asked for', async () => {
  const memory = openMemory();
  const tags = ['1', '2', '3', '4', '5', '6'];
  for (const tag of tags) seed(memory, `src.test/app:${tag}`, image([tag]));
  const inFlight = new Set<string | undefined>();
  let most = 0;
  const onEvent = (event: CopyEvent) => {
    if (event.kind === 'started') inFlight.add(event.task.source.tag);
    most = Math.max(most, inFlight.size);
  };
  memory.interfere(({ operation, subject }) => {
    if (operation === 'putManifest') inFlight.delete(subject);
  });

  await copyTasks(
    tags.map((tag) => task(`src.test/app:${tag}`, `dst.test/app:${tag}`)),
    memory.ends,
    { images: lanes(2), onEvent },
  );

  assert.equal(most, 2);
});

test('No more blobs are in flight than were asked for, over all images', async () => {
  const memory = openMemory();
  const tags = ['1', '2', '3', '4'];
  for (const tag of tags)
    seed(memory, `src.test/app:${tag}`, image([`${tag}a`, `${tag}b`, `${tag}c`]));

  await copyTasks(
    tags.map((tag) => task(`src.test/app:${tag}`, `dst.test/app:${tag}`)),
    memory.ends,
    { blobs: lanes(3) },
  );

  assert.equal(memory.maximumBlobs(), 3);
});

test('One image and one blob at a time is enough to copy all', async () => {
  const memory = openMemory();
  const tags = ['1', '2', '3'];
  for (const tag of tags) seed(memory, `src.test/app:${tag}`, index([image(['base', tag])]));

  const { outcomes } = await copyTasks(
    tags.map((tag) => task(`src.test/app:${tag}`, `dst.test/${tag}:1`)),
    memory.ends,
    { images: lanes(1), blobs: lanes(1) },
  );

  assert.deepEqual(statuses(outcomes), ['copied', 'copied', 'copied']);
});

test('Events tell the whole story of an image, with absolute offsets', async () => {
  const memory = openMemory();
  const content = image(['a', 'b']);
  seed(memory, 'src.test/app:1', content);

  const { events } = await copyTasks([one], memory.ends);

  const sizes = new Map<string, number>(content.blobs.map(({ digest, size }) => [digest, size]));
  const reached = new Map<string, number>();
  for (const event of events) {
    if (event.kind !== 'moving') continue;
    assert.ok(event.offset > (reached.get(event.blob.digest) ?? 0));
    reached.set(event.blob.digest, event.offset);
  }
  const bytes = content.blobs.reduce((sum, { size }) => sum + size, 0);
  assert.deepEqual(reached, sizes);
  assert.deepEqual(events[0], { kind: 'inspected', task: one, images: 1 });
  const planned = events.find(({ kind }) => kind === 'planned');
  const started = events.find(({ kind }) => kind === 'started');
  assert.deepEqual(planned, { kind: 'planned', images: 1, blobs: 3, bytes });
  assert.deepEqual(started, { kind: 'started', task: one, blobs: 3, bytes });
  assert.deepEqual(kinds(events), {
    ...{ inspected: 1, planned: 1, started: 1, moving: 6, placed: 3, finished: 1 },
  });
});

test('Bytes that stay damaged are fetched twice, and not as often as there are retries', async () => {
  const memory = openMemory();
  const part = layer('damaged');
  seed(memory, 'src.test/app:1', image([part]));
  memory.repository('src.test/app').blobs.set(part.digest, Buffer.from('layer changed'));

  const { outcomes } = await copyTasks([one], memory.ends, { retries: 3 });

  assert.equal(outcomes[0]?.attempts, 2);
  assert.match(reasons(outcomes)[0] ?? '', /^source src\.test\/app:1: the bytes received for/);
});
