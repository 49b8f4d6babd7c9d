import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DISTRIBUTION } from '../support/distribution.ts';
import { pushImage } from '../support/images.ts';
import { pushMultiPlatform } from '../support/images-kinds.ts';
import { skipUnless } from '../support/requirement.ts';
import { assertForPeople, assertRefused, eventually, linesOf, setUp } from './move.ts';
import { anyReportIn, openShelf, planAndCopy, writesTo } from './shelf.ts';

const REAL = { skip: skipUnless(DISTRIBUTION), timeout: 120_000 };
const LIMIT = { timeout: 40_000 };

test(
  'What a copy to an empty registry moves is what its plan said, and the plan wrote nothing',
  REAL,
  async (t) => {
    const shelf = await openShelf(t);
    await shelf.write();

    const { planned, copied, plan, writes, foreseen, happened } = await planAndCopy(shelf);

    assert.equal(planned.code, 0, planned.stderr);
    assert.equal(copied.code, 0, copied.stderr);
    assert.deepEqual(writes, []);
    assert.deepEqual(happened, foreseen);
    assert.equal(plan.summary['new'], shelf.rules.length);
    assert.ok((foreseen.mounted ?? 0) > 0);
    assert.equal(
      plan.images.reduce((sum, { bytes = 0 }) => sum + bytes, 0),
      foreseen.bytes,
    );
  },
);

test(
  'After a complete copy its plan says that nothing is left, at one HEAD a side and image',
  REAL,
  async (t) => {
    const shelf = await openShelf(t);
    await shelf.write();
    await shelf.desk.run(['copy']);

    const { planned, plan, writes, foreseen, happened } = await planAndCopy(shelf);

    assert.equal(planned.code, 0, planned.stderr);
    assert.deepEqual(writes, []);
    assert.deepEqual(happened, foreseen);
    assert.deepEqual(foreseen, {
      ...{ copied: 0, skipped: shelf.rules.length },
      ...{ transferred: 0, mounted: 0, existing: 0, bytes: 0 },
    });
    assert.equal(plan.summary['uniqueBlobs'], 0);
  },
);

test('A plan asks for what is unchanged with one HEAD on each side', async (t) => {
  const { source, destination, desk } = await setUp(t);
  await pushMultiPlatform(source, { repository: 'team/app', tag: 'v1' });
  await desk.write(
    'images.json',
    JSON.stringify({ [`${source.host}/team/app:v1`]: `${destination.host}/moved/app` }),
  );
  await desk.run(['copy']);
  for (const registry of [source, destination]) {
    await registry.settle();
    registry.log.clear();
  }

  const { code } = await desk.run(['copy', 'plan']);

  assert.equal(code, 0);
  for (const registry of [source, destination]) {
    await registry.settle();
    const requests = registry.log.summary().filter((line) => !line.includes(' ping '));
    assert.deepEqual(requests, ['HEAD manifest 200']);
  }
});

async function fillMixed(t: Parameters<typeof setUp>[0]) {
  const move = await setUp(t);
  const { source, destination, desk } = move;
  const rules = ['new', 'same', 'other', 'gone'].map((name) => [
    `${source.host}/team/${name}:v1`,
    `${destination.host}/moved/${name}`,
  ]);
  const other = await pushImage(source, { repository: 'team/other', tag: 'v1' });
  await pushImage(source, { repository: 'team/same', tag: 'v1' });
  await desk.write('images.json', JSON.stringify(Object.fromEntries(rules.slice(1, 3))));
  await desk.run(['copy']);
  const changed = await pushImage(source, { repository: 'team/other', tag: 'v1', seed: 'later' });
  const fresh = await pushImage(source, { repository: 'team/new', tag: 'v1' });
  const broken = [`${source.host}/team/new`, `${destination.host}/moved/new:tag`];
  await desk.write(
    'images.json',
    JSON.stringify(Object.fromEntries([...rules, broken]), undefined, 2),
  );
  return { ...move, other, changed, fresh };
}

test('The plan as JSON has every field that it promises', async (t) => {
  const { source, destination, desk, other, changed, fresh } = await fillMixed(t);

  const finished = await desk.run(['copy', 'plan', '-o', 'json']);

  const { apiVersion, kind, summary, images, rules } = anyReportIn(finished);
  const { durationMs, bytesToTransfer, ...counts } = summary;
  const [first, second, third, fourth] = images;
  const sent = (image: typeof fresh) => image.blobs.reduce((sum, { size }) => sum + size, 0);
  assert.equal(finished.code, 1);
  assert.deepEqual([apiVersion, kind], ['migrate-images/v1', 'CopyPlan']);
  assert.deepEqual(counts, {
    ...{ images: 4, new: 1, unchanged: 1, changed: 1, conflict: 0, failed: 1, rulesFailed: 1 },
    ...{ uniqueBlobs: 6, blobsToTransfer: 6, blobsToMount: 0, blobsExisting: 0 },
    interrupted: false,
  });
  assert.ok(Number.isInteger(durationMs));
  assert.equal(bytesToTransfer, sent(fresh) + sent(changed));
  assert.deepEqual(first, {
    source: `${source.host}/team/new:v1`,
    destination: `${destination.host}/moved/new:v1`,
    ...{ status: 'new', sourceDigest: fresh.digest, bytes: sent(fresh) },
    ...{ attempts: 0, referrers: 0, notes: [] },
  });
  assert.equal(second?.status, 'unchanged');
  assert.equal(second?.destinationDigest, second?.sourceDigest);
  assert.deepEqual(
    [third?.status, third?.sourceDigest, third?.destinationDigest, third?.bytes],
    ['changed', changed.digest, other.digest, sent(changed)],
  );
  assert.deepEqual([fourth?.status, fourth?.bytes], ['failed', 0]);
  assert.match(fourth?.error?.code ?? '', /^(MANIFEST_UNKNOWN|NAME_UNKNOWN|NOT_FOUND)$/);
  assert.match(fourth?.error?.hint ?? '', /check the name/);
  assert.equal(rules.length, 1);
});

for (const parameters of [
  ['copy', 'plan'],
  ['copy', '--dry-run'],
])
  test(`"${parameters.join(' ')}" lists what is not unchanged in columns, then the totals`, async (t) => {
    const { source, destination, desk } = await fillMixed(t);
    for (const registry of [source, destination]) registry.log.clear();

    const finished = await desk.run(parameters);

    const [, ...lines] = linesOf(finished.stdout);
    const [first = '', second = '', third = '', ...rest] = lines;
    assert.equal(finished.code, 1);
    assert.match(first, /^new {6}\S+\/team\/new:v1 {3}-> \S+\/moved\/new:v1 {6}\d+\.\d kB$/);
    assert.match(second, /^changed {2}\S+\/team\/other:v1 -> \S+\/moved\/other:v1 {4}\d+\.\d kB$/);
    assert.match(
      third,
      /^failed {3}\S+\/team\/gone:v1 {2}-> \S+\/moved\/gone:v1 {3}source: .* \[\w+\]; check/,
    );
    assert.match(rest[0] ?? '', /^1 rule cannot be used$/);
    assert.match(
      rest[1] ?? '',
      /^4 images: 1 new, 1 changed, 1 unchanged, 1 would fail; \d+\.\d kB in 6 blobs to send, 0 to mount, 0 there already$/,
    );
    assert.equal(rest.length, 2);
    assert.match(finished.stderr, /^\.\/images\.json:6:3: .*has a tag, but the source has none/);
    assert.doesNotMatch(finished.stdout, /\/same:v1/);
    assert.deepEqual([await writesTo(source), await writesTo(destination)], [[], []]);
    assertForPeople(finished);
  });

test('The log tells a plan from a copy', async (t) => {
  const { desk } = await fillMixed(t);

  await desk.run(['copy', 'plan', '--log', 'plan.log']);

  const records = linesOf(await desk.read('plan.log')).map((line) => JSON.parse(line));
  const events = records.map(({ event }) => event);
  assert.deepEqual([...new Set(events)], ['begun', 'rule failed', 'login', 'ended']);
  assert.equal(records[0].kind, 'CopyPlan');
  assert.deepEqual([records.at(-1).kind, records.at(-1).new], ['CopyPlan', 1]);
});

test('A plan that cannot start is exit 2, and one line', async (t) => {
  const { desk } = await setUp(t);

  const missing = await desk.run(['copy', 'plan']);
  const unknown = await desk.run(['copy', 'plan', '--workers', '3']);

  assertRefused(missing, /^error: .*images\.json/);
  assertRefused(unknown, /^error: Nonexistent flag: --workers$/, /^see ".* copy plan --help"$/);
});

test('Ctrl-C ends a plan, which says how far it came', LIMIT, async (t) => {
  const { source, destination, desk } = await setUp(t);
  await pushImage(source, { repository: 'team/quick', tag: 'v1' });
  await pushImage(source, { repository: 'team/slow', tag: 'v1' });
  const stall = { class: 'manifest', path: /team\/slow/, wait: 30_000 } as const;
  source.faults.add(stall);
  await desk.write(
    'images.json',
    JSON.stringify({
      [`${source.host}/team/quick:v1`]: `${destination.host}/moved/quick`,
      [`${source.host}/team/slow:v1`]: `${destination.host}/moved/slow`,
    }),
  );
  const command = desk.start(['copy', 'plan', '-o', 'json']);

  await eventually(
    () =>
      source.faults.applied(stall) > 0 &&
      source.log.select('GET', 'manifest').length > 0 &&
      destination.log.select('GET', 'tags').length > 0,
  );
  command.child.kill('SIGINT');
  const finished = await command.ended;

  const { summary, images } = anyReportIn(finished);
  assert.equal(finished.code, 130);
  assert.equal(summary['interrupted'], true);
  assert.equal(images[1]?.error?.code, 'INTERRUPTED');
  assert.match(finished.stderr, /^Interrupted: [01] of 2 images looked at; run the same command/m);
  assert.doesNotMatch(finished.stderr, /to send/);
});
