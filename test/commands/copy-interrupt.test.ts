import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { openPane } from '../progress/pane.ts';
import { pushImage } from '../support/images.ts';
import type { PushedImage } from '../support/images-push.ts';
import { verifyImage } from '../support/images-verify.ts';
import { findProgram } from '../support/process.ts';
import type { FaultSubject } from '../support/registry-faults.ts';
import { skipUnless } from '../support/requirement.ts';
import { assertForPeople, eventually, linesOf, type Move, reportIn, setUp } from './move.ts';

const TMUX = {
  name: 'tmux',
  found: findProgram('tmux') !== undefined,
  remedy: 'install tmux (apt-get install tmux)',
};

// Two signals within 300 ms are one: a terminal and a parent process may both send it.
const SAME_PRESS_MS = 400;
// What hangs would hang for a minute without the interruption.
const LIMIT = { timeout: 40_000 };

interface SlowMove extends Move {
  readonly quick: PushedImage;
  readonly slow: PushedImage;
  /** Waits until the quick image has arrived, and of the slow one all but the end of one layer. */
  stalled(): Promise<void>;
}

async function setUpSlow(t: TestContext): Promise<SlowMove> {
  const move = await setUp(t);
  const { source, destination, desk } = move;
  const quick = await pushImage(source, { repository: 'team/quick', tag: 'v1' });
  const slow = await pushImage(source, { repository: 'team/slow', tag: 'v1', layerSize: 300_000 });
  const last = slow.blobs.at(-1)?.digest ?? '';
  const stall = {
    class: 'blob',
    method: 'GET',
    where: endsWith(last),
    stallAfter: 100_000,
  } as const;
  source.faults.add(stall);
  await desk.write(
    'images.json',
    JSON.stringify({
      [`${source.host}/team/quick:v1`]: `${destination.host}/moved/quick`,
      [`${source.host}/team/slow:v1`]: `${destination.host}/moved/slow`,
    }),
  );
  const arriving = quick.blobs.length + slow.blobs.length - 1;
  const { log } = destination;
  const stalled = () =>
    eventually(
      () =>
        source.faults.applied(stall) > 0 &&
        log.count('PUT', 'upload') >= arriving &&
        log.count('PUT', 'manifest') > 0,
    );
  return { ...move, quick, slow, stalled };
}

function endsWith(digest: string): (subject: FaultSubject) => boolean {
  return ({ path }) => path.endsWith(digest);
}

/** What the registry still holds open, and what was cancelled. */
async function sessionsOf({ destination }: Move): Promise<{ opened: number; ended: number }> {
  await destination.settle();
  const { log } = destination;
  // A mount that is not to be had opens a session, too.
  const posts = [...log.select('POST', 'upload'), ...log.select('POST', 'mount')];
  const opened = posts.filter(({ status }) => status === 202).length;
  const closed = log.select('PUT', 'upload').filter(({ status }) => status === 201).length;
  const cancelled = log.select('DELETE', 'upload').filter(({ status }) => status === 204).length;
  return { opened, ended: closed + cancelled };
}

for (const name of ['SIGINT', 'SIGTERM'] as const)
  test(
    `${name} stops a copy cleanly, and the next run moves only what was missing`,
    LIMIT,
    async (t) => {
      const move = await setUpSlow(t);
      const { source, destination, desk, quick, slow, stalled } = move;
      const command = desk.start(['copy']);

      await stalled();
      command.child.kill(name);
      const finished = await command.ended;

      const { opened, ended } = await sessionsOf(move);
      assert.equal(finished.code, 130, finished.stderr);
      assert.equal(ended, opened);
      assert.equal(destination.log.count('DELETE', 'upload'), 1);
      const [, , ...rest] = linesOf(finished.stdout);
      assert.match(finished.stdout, /^copied .*team\/quick:v1/m);
      assert.match(finished.stdout, /^left {5}\S+\/team\/slow:v1 -> \S+\/moved\/slow:v1$/m);
      assert.match(
        rest.at(-1) ?? '',
        /^Interrupted: 1 of 2 images are done with, 1 are left; the same/,
      );
      assert.doesNotMatch(finished.stdout, /migration finished/);
      assert.equal(finished.stderr, '');
      assertForPeople(finished);

      source.faults.clear();
      destination.log.clear();
      const second = await desk.run(['copy', '-o', 'json']);

      await destination.settle();
      const { summary } = reportIn(second);
      const put = destination.log.select('PUT', 'upload').map(({ query }) => query.get('digest'));
      assert.equal(second.code, 0, second.stderr);
      assert.deepEqual([summary.copied, summary.skipped, summary.interrupted], [1, 1, false]);
      assert.deepEqual(put, [slow.blobs.at(-1)?.digest]);
      assert.deepEqual(await verifyImage(destination, 'moved/quick', 'v1', quick.digest), []);
      assert.deepEqual(await verifyImage(destination, 'moved/slow', 'v1', slow.digest), []);
    },
  );

test('The report of an interrupted run says so, and which images are left', LIMIT, async (t) => {
  const { desk, stalled } = await setUpSlow(t);
  const command = desk.start(['copy', '-o', 'json']);
  const copied = command.said(/^copied .*quick/m);

  await stalled();
  await copied;
  command.child.kill('SIGINT');
  const finished = await command.ended;

  const { summary, images } = reportIn(finished);
  const left = images.find(({ source }) => source.endsWith('/team/slow:v1'));
  assert.equal(finished.code, 130);
  assert.equal(summary.interrupted, true);
  assert.deepEqual([summary.images, summary.copied, summary.failed], [2, 1, 1]);
  assert.equal(left?.status, 'failed');
  assert.equal(left?.error?.code, 'INTERRUPTED');
  assert.match(left?.error?.hint ?? '', /run the same command again/);
});

test('A second Ctrl-C, a moment later, does not wait for anything', LIMIT, async (t) => {
  const { destination, desk, stalled } = await setUpSlow(t);
  // The registry does not answer to the cancelling of the upload.
  const cancelling = { method: 'DELETE', class: 'upload', wait: 30_000 } as const;
  destination.faults.add(cancelling);
  const command = desk.start(['copy']);

  await stalled();
  command.child.kill('SIGINT');
  await eventually(() => destination.faults.applied(cancelling) > 0);
  await wait(SAME_PRESS_MS);
  command.child.kill('SIGINT');
  const { code } = await command.ended;

  assert.equal(code, 130);
});

test('An interruption while tags are listed ends the run as well', LIMIT, async (t) => {
  const { source, destination, desk } = await setUp(t);
  await pushImage(source, { repository: 'team/app', tag: 'v1' });
  const listing = { class: 'tags', wait: 30_000 } as const;
  source.faults.add(listing);
  await desk.write(
    'images.json',
    JSON.stringify({ [`${source.host}/team/app`]: `${destination.host}/moved/app` }),
  );
  const command = desk.start(['copy']);

  await eventually(() => source.faults.applied(listing) > 0);
  command.child.kill('SIGINT');
  const finished = await command.ended;

  assert.equal(finished.code, 130);
  assert.match(finished.stdout, /^Interrupted before there was an image to copy; run the same/m);
  assert.match(finished.stderr, /its tags cannot be listed: interrupted$/m);
  assert.doesNotMatch(finished.stdout, /migration finished/);
  assertForPeople(finished);
});

for (const parameters of [
  ['copy', '--images', '-'],
  ['scan', '-f', '-', '-o', 'name'],
])
  test(
    `Ctrl-C ends "${parameters.join(' ')}" while it waits for standard input`,
    LIMIT,
    async (t) => {
      const { desk } = await setUp(t);
      // The program tells when it reads, by draining more than a pipe holds.
      const input = `${'#'.repeat(1_000_000)}\n`;
      const command = desk.start(parameters, { input, inputStaysOpen: true });

      await eventually(() => command.child.stdin.writableLength === 0);
      command.child.kill('SIGINT');
      const { code, stderr } = await command.ended;

      assert.equal(code, 130);
      assert.equal(stderr, 'interrupted\n');
    },
  );

test('An interruption while a registry asks to wait ends the run as well', LIMIT, async (t) => {
  const { source, destination, desk } = await setUp(t);
  await pushImage(source, { repository: 'team/app', tag: 'v1' });
  source.faults.add({
    class: 'manifest',
    answer: { status: 429, headers: { 'retry-after': '60' }, code: 'TOOMANYREQUESTS' },
  });
  await desk.write(
    'images.json',
    JSON.stringify({ [`${source.host}/team/app:v1`]: `${destination.host}/moved/app` }),
  );
  const command = desk.start(['copy']);

  await command.said(/waiting/);
  command.child.kill('SIGINT');
  const finished = await command.ended;

  assert.equal(finished.code, 130);
  assert.match(finished.stderr, /^127\.0\.0\.1:\d+: waiting 1m 0?0s, it answered 429$/m);
  assert.match(finished.stdout, /^left .*team\/app:v1/m);
  assertForPeople(finished);
});

test('Ctrl-C on a terminal takes the lanes away and says what is left', {
  ...LIMIT,
  skip: skipUnless(TMUX),
}, async (t) => {
  const { desk, stalled } = await setUpSlow(t);
  const pane = openPane(80, 24, desk.shellCommand(['copy']));
  t.after(() => pane.close());

  await stalled();
  await pane.until(/^ {2}\S*team\/slow/);
  pane.press('C-c');
  const lines = await pane.until(/^code 130$/);

  const text = lines.join('\n');
  assert.match(text, /^left {5}\S/m);
  assert.match(text, /^Interrupted: 1 of 2 images/m);
  assert.doesNotMatch(text, /^ {2}\S*team\/slow/m);
  assert.equal(pane.cursor().visible, true);
});
