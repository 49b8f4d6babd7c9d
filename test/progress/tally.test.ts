import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { CopyEvent } from '../../src/copy/events.ts';
import { startTally, type TallyView } from '../../src/progress/tally.ts';
import { blobNamed, failedWith, pretend, pretendedImages, succeeded, taskFrom } from './pretend.ts';

const SECOND = 1000;
const base = blobNamed('base', 1000);
const layer = blobNamed('layer', 500);
const first = taskFrom('nginx:1', 'registry.example.com/team/nginx:1');
const second = taskFrom('httpd:2', 'registry.example.com/team/httpd:2');
const elsewhere = taskFrom('nginx:1', 'other.example.com/team/nginx:1');

/** What stands after these events, one second apart. */
function after(...events: readonly CopyEvent[]): TallyView {
  const tally = startTally();
  for (const [index, event] of events.entries()) tally.note(event, index * SECOND);
  return tally.view(events.length * SECOND);
}

const planned = (bytes: number): CopyEvent => ({ kind: 'planned', images: 2, blobs: 2, bytes });
const started = (task = first, bytes = 1500): CopyEvent => ({
  kind: 'started',
  task,
  blobs: 2,
  bytes,
});
const moving = (offset: number, blob = base, task = first): CopyEvent => ({
  kind: 'moving',
  task,
  blob,
  offset,
});
const placed = (
  fate: 'existing' | 'mounted' | 'transferred',
  blob = base,
  task = first,
): CopyEvent => ({ kind: 'placed', task, blob, fate });

test('Before anything happened there is nothing to show', () => {
  const view = startTally().view(0);

  assert.deepEqual(view, {
    copied: 0,
    skipped: 0,
    failed: 0,
    images: 0,
    inspected: 0,
    planning: false,
    moved: 0,
    total: 0,
    rate: undefined,
    millisecondsLeft: undefined,
    flights: [],
  });
});

test('While images are looked at, they are counted', () => {
  const view = after(
    { kind: 'inspected', task: first, images: 2 },
    { kind: 'inspected', task: second, images: 2 },
  );

  assert.equal(view.planning, true);
  assert.equal(view.inspected, 2);
  assert.equal(view.images, 2);
});

test('Planning goes on while the first images are copied, and ends with the plan', () => {
  const inspected: CopyEvent = { kind: 'inspected', task: first, images: 2 };

  assert.equal(after(inspected, started()).planning, true);
  assert.equal(after(inspected, started(), planned(5)).planning, false);
});

test('Bytes on their way count as moved', () => {
  const view = after(planned(1500), started(), moving(300), moving(400, layer));

  assert.equal(view.moved, 700);
  assert.equal(view.total, 1500);
  assert.deepEqual(view.flights[0]?.moving, [base, layer]);
});

test('A blob that is there or is mounted makes the total smaller', () => {
  assert.equal(after(planned(1500), started(), placed('existing')).total, 500);
  assert.equal(after(planned(1500), started(), placed('mounted')).total, 500);
});

test('A blob that two images share is moved once', () => {
  const view = after(
    planned(1000),
    started(),
    started(second),
    placed('transferred'),
    placed('mounted', base, second),
    placed('existing', base, second),
  );

  assert.equal(view.moved, 1000);
  assert.equal(view.total, 1000);
});

test('A blob that goes to two registries is moved twice', () => {
  const view = after(
    planned(2000),
    started(),
    started(elsewhere),
    placed('transferred'),
    placed('transferred', base, elsewhere),
  );

  assert.equal(view.moved, 2000);
  assert.equal(view.total, 2000);
});

test('A blob that a registry does not mount is sent again, and the total grows by it', () => {
  const view = after(
    planned(1500),
    started(),
    started(second),
    placed('transferred'),
    placed('transferred', base, second),
  );

  assert.equal(view.moved, 2000);
  assert.equal(view.total, 2500);
});

test('A blob that was thought to be there and is sent after all counts again', () => {
  const view = after(
    planned(1500),
    started(),
    started(second),
    placed('existing'),
    placed('transferred', base, second),
  );

  assert.equal(view.moved, 1000);
  assert.equal(view.total, 1500);
});

test('A retry sets a blob back without any trace in the sums', () => {
  const again: CopyEvent = {
    kind: 'retrying',
    task: first,
    attempt: 1,
    delayMs: 5000,
    error: new Error('reset'),
  };

  const waiting = after(planned(1500), started(), moving(900), again);
  const back = after(planned(1500), started(), moving(900), again, moving(100));
  const done = after(
    planned(1500),
    started(),
    moving(900),
    again,
    moving(100),
    placed('transferred'),
  );

  assert.deepEqual(waiting.flights[0]?.retry, { attempt: 1, millisecondsLeft: 4000 });
  assert.equal(back.flights[0]?.retry, undefined);
  assert.equal(back.moved, 100);
  assert.equal(done.moved, 1000);
  assert.equal(done.total, 1500);
});

test('An image leaves when it is finished, and its unfinished bytes with it', () => {
  const view = after(
    planned(1500),
    started(),
    placed('transferred', layer),
    moving(900),
    { kind: 'finished', task: first, outcome: failedWith('reset') },
    { kind: 'finished', task: second, outcome: succeeded('skipped') },
  );

  assert.deepEqual(view.flights, []);
  assert.equal(view.moved, 500);
  assert.deepEqual([view.copied, view.skipped, view.failed], [0, 1, 1]);
});

test('An image in flight tells its own bytes and blobs', () => {
  const flight = after(planned(9000), started(), placed('existing', layer), moving(250)).flights[0];

  assert.equal(flight?.task, first);
  assert.deepEqual([flight?.moved, flight?.total], [250, 1000]);
  assert.deepEqual([flight?.placed, flight?.blobs], [1, 2]);
});

test('What comes after an image is finished brings it not back', () => {
  const view = after(
    started(),
    { kind: 'finished', task: first, outcome: failedWith('interrupted') },
    moving(5),
  );

  assert.deepEqual(view.flights, []);
});

test('The rate counts from the first byte, not from the planning before it', () => {
  const tally = startTally();
  tally.note({ kind: 'inspected', task: first, images: 1 }, 0);
  tally.note(planned(1000), 60 * SECOND);
  tally.note(started(), 60 * SECOND);

  for (let second = 0; second <= 4; second += 1)
    tally.note(moving(second * 100), (60 + second) * SECOND);

  const view = tally.view(64 * SECOND);
  assert.ok(view.rate !== undefined && view.rate > 90 && view.rate < 140, `${view.rate}`);
});

test('A retry that starts a blob again counts the bytes that really went by', () => {
  const tally = startTally();
  tally.note(planned(1000), 0);
  tally.note(started(), 0);
  for (let second = 1; second <= 8; second += 1)
    tally.note(moving(second % 4 === 0 ? 0 : (second % 4) * 100), second * SECOND);

  const view = tally.view(8 * SECOND);

  assert.equal(view.moved, 0);
  assert.ok(view.rate !== undefined && view.rate > 0);
});

test('Views that were handed out do not change', () => {
  const tally = startTally();
  tally.note(planned(1500), 0);
  tally.note(started(), 0);
  const before = tally.view(0);
  const copy = structuredClone(before);

  tally.note(moving(500), SECOND);
  tally.note(placed('transferred'), SECOND);

  assert.deepEqual(before, copy);
});

test('At the end of a whole run everything is moved and nothing is in flight', async () => {
  const tally = startTally();
  const images = pretendedImages(20);
  let now = 0;

  const listener = (event: CopyEvent) => {
    now += 10;
    tally.note(event, now);
  };
  await pretend(listener, { images, workers: 7, steps: 4, pause: async () => undefined });

  const view = tally.view(now);
  assert.equal(view.moved, view.total);
  assert.deepEqual([view.images, view.copied, view.failed], [20, 19, 1]);
  assert.deepEqual(view.flights, []);
});

const anyEvent = (): fc.Arbitrary<CopyEvent> => {
  const task = fc.constantFrom(first, second, elsewhere);
  const blob = fc.constantFrom(base, layer, blobNamed('empty', 0));
  return fc.oneof(
    fc.record({ kind: fc.constant('inspected' as const), task, images: fc.nat(5) }),
    fc.record({
      kind: fc.constant('planned' as const),
      images: fc.nat(5),
      blobs: fc.nat(9),
      bytes: fc.nat(3000),
    }),
    fc.record({
      kind: fc.constant('started' as const),
      task,
      blobs: fc.nat(3),
      bytes: fc.nat(2000),
    }),
    fc.record({
      kind: fc.constant('moving' as const),
      task,
      blob,
      offset: fc.integer({ min: -10, max: 1200 }),
    }),
    fc.record({
      kind: fc.constant('placed' as const),
      task,
      blob,
      fate: fc.constantFrom('existing' as const, 'mounted' as const, 'transferred' as const),
    }),
    fc.record({
      kind: fc.constant('retrying' as const),
      task,
      attempt: fc.nat(3),
      delayMs: fc.nat(10_000),
      error: fc.constant(undefined),
    }),
    fc.record({
      kind: fc.constant('finished' as const),
      task,
      outcome: fc.constantFrom(succeeded('copied', 5), succeeded('skipped'), failedWith('reset')),
    }),
  );
};

test('Whatever happens in whatever order, no number is negative or more than its total', () => {
  const story = fc.array(fc.tuple(anyEvent(), fc.nat(3000)), { maxLength: 80 });
  fc.assert(
    fc.property(story, (events) => {
      const tally = startTally();
      let now = 0;
      let done = 0;
      for (const [event, pause] of events) {
        now += pause;
        tally.note(event, now);
        const view = tally.view(now);
        for (const part of [view, ...view.flights]) {
          assert.ok(part.moved >= 0 && part.moved <= part.total, JSON.stringify(part));
          assert.ok((part.rate ?? 0) >= 0);
          assert.ok((part.millisecondsLeft ?? 0) >= 0);
        }
        for (const flight of view.flights) assert.ok(flight.placed <= flight.blobs);
        const nowDone = view.copied + view.skipped + view.failed;
        assert.ok(nowDone >= done && nowDone + view.flights.length <= view.images);
        done = nowDone;
      }
    }),
  );
});

test('A million chunks are added up at a cost that does not grow', () => {
  const tally = startTally();
  tally.note(started(), 0);

  for (let chunk = 0; chunk < 1_000_000; chunk += 1) tally.note(moving(chunk % 1000), chunk / 100);

  assert.equal(tally.view(10_000).moved, 999);
});
