import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pushTags } from '../support/images-kinds.ts';
import { reportIn, setUp } from './move.ts';

async function rules(
  { source, destination, desk }: Awaited<ReturnType<typeof setUp>>,
  count: number,
): Promise<void> {
  await pushTags(source, 'team/app', count);
  const rule = { [`${source.host}/team/app`]: `${destination.host}/mirror/app` };
  await desk.write('images.json', JSON.stringify(rule));
}

test('A registry that takes ten requests a second gets everything, and no image has to be tried again', async (t) => {
  const move = await setUp(t);
  await rules(move, 10);
  let level = 10;
  let at = performance.now();
  move.destination.faults.add({
    where: () => {
      const now = performance.now();
      level = Math.min(10, level + (now - at) / 100);
      at = now;
      level -= level >= 1 ? 1 : 0;
      return level < 1;
    },
    answer: { status: 429 },
  });

  const finished = await move.desk.run(['copy', '-o', 'json']);

  const { summary, images } = reportIn(finished);
  assert.deepEqual([finished.code, summary.copied, summary.failed], [0, 10, 0]);
  assert.ok(images.every(({ attempts }) => attempts === 1));
});

test('A budget that is used up is told, with the time at which it goes on', async (t) => {
  const move = await setUp(t);
  await rules(move, 1);
  const headers = {
    ...{ 'ratelimit-limit': '100;w=21600', 'ratelimit-remaining': '0;w=21600' },
    'retry-after': '1',
  };
  move.source.faults.add({ class: 'manifest', answer: { status: 429, headers }, times: 1 });

  const { code, stderr } = await move.desk.run(['copy']);

  assert.equal(code, 0);
  assert.match(
    stderr,
    /^127\.0\.0\.1:\d+: waiting 1(?:\.\d)?s, until \d\d:\d\d:\d\d: its 100 pulls in 6h 00m are used up$/m,
  );
});

test('A budget that comes back after hours ends the run, which says when', async (t) => {
  const move = await setUp(t);
  await rules(move, 1);
  const headers = { 'retry-after': '7200' };
  move.source.faults.add({ class: 'manifest', answer: { status: 429, headers } });

  const finished = await move.desk.run(['copy', '-o', 'json']);

  const [image] = reportIn(finished).images;
  assert.equal(finished.code, 1);
  assert.equal(image?.attempts, 1);
  assert.match(image?.error?.message ?? '', /it asks to wait until \d{4}-\d\d-\d\d \d\d:\d\d UTC/);
});

test('--rps spreads requests, and --max-bandwidth bytes', async (t) => {
  const move = await setUp(t);
  await rules(move, 3);
  const begun = performance.now();

  const { code } = await move.desk.run(['copy', '--rps', '20', '--max-bandwidth', '1MB/s']);

  // A lower bound: about thirty requests at twenty a second.
  assert.equal(code, 0);
  const least = (move.destination.log.count() - 1) * 50;
  assert.ok(performance.now() - begun >= Math.min(least, 1_000));
});
