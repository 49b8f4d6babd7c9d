import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { pushImage } from '../support/images.ts';
import { pushMultiPlatform } from '../support/images-kinds.ts';
import type { Fault } from '../support/registry-faults.ts';
import { READER } from '../support/registry-users.ts';
import { assertForPeople, assertRefused, eventually, linesOf, type Move, setUp } from './move.ts';
import { anyReportIn } from './shelf.ts';

const LIMIT = { timeout: 40_000 };

/** Two images, copied. */
async function setUpCopied(t: TestContext, options: Parameters<typeof setUp>[1] = {}) {
  const move = await setUp(t, options);
  const { source, destination, desk } = move;
  const app = await pushMultiPlatform(source, { repository: 'team/app', tag: 'v1' });
  const web = await pushImage(source, { repository: 'team/web', tag: 'v1' });
  await writeRules(move, ['app', 'web']);
  const { code, stderr } = await desk.run(['copy', '--no-encrypt-auth']);
  assert.equal(code, 0, stderr);
  for (const registry of [source, destination]) {
    await registry.settle();
    registry.log.clear();
  }
  return { ...move, app, web };
}

async function writeRules(
  { source, destination, desk }: Move,
  names: readonly string[],
): Promise<void> {
  const rules = names.map((name) => [
    `${source.host}/team/${name}:v1`,
    `${destination.host}/moved/${name}`,
  ]);
  await desk.write('images.json', JSON.stringify(Object.fromEntries(rules), undefined, 2));
}

test('The proof as JSON has every field that it promises', async (t) => {
  const { source, destination, desk, app, web } = await setUpCopied(t);
  const later = await pushImage(source, { repository: 'team/web', tag: 'v1', seed: 'later' });
  const [blob] = app.blobs;
  destination.store.repositories.get('moved/app')?.blobs.delete(blob?.digest ?? '');

  const finished = await desk.run(['copy', 'verify', '-o', 'json']);

  const { apiVersion, kind, summary, images, rules } = anyReportIn(finished);
  const { durationMs, ...counts } = summary;
  const [first, second] = images;
  assert.equal(finished.code, 1);
  assert.deepEqual([apiVersion, kind], ['migrate-images/v1', 'VerifyReport']);
  assert.ok(Number.isInteger(durationMs));
  assert.deepEqual(counts, {
    ...{ images: 2, identical: 0, converted: 0, missing: 0, different: 1, incomplete: 1 },
    ...{ failed: 0, rulesFailed: 0, blobsChecked: app.blobs.length, bytesRead: 0 },
    interrupted: false,
  });
  assert.deepEqual(first, {
    source: `${source.host}/team/app:v1`,
    destination: `${destination.host}/moved/app:v1`,
    ...{ status: 'incomplete', sourceDigest: app.digest, destinationDigest: app.digest },
    ...{ referrers: 0, notes: [`blob ${blob?.digest} is missing`] },
    error: {
      code: 'INCOMPLETE',
      message: `destination: blob ${blob?.digest} is missing`,
      hint: `delete ${destination.host}/moved/app:v1 and what is damaged there, then copy it again`,
    },
  });
  assert.deepEqual(second, {
    source: `${source.host}/team/web:v1`,
    destination: `${destination.host}/moved/web:v1`,
    ...{ status: 'different', sourceDigest: later.digest, destinationDigest: web.digest },
    ...{ referrers: 0, notes: [] },
  });
  assert.deepEqual(rules, []);
});

for (const [what, status] of [
  ['refuses', 403],
  ['is not able', 501],
] as const)
  test(`Where a registry ${what} to say whether it has a blob, nothing is proven and nothing accused`, async (t) => {
    const { destination, desk } = await setUpCopied(t);
    destination.faults.add({
      ...{ class: 'blob', path: /moved\/web/ },
      answer: { status, code: 'DENIED' },
    });

    const finished = await desk.run(['copy', 'verify']);

    const [, line = '', last] = linesOf(finished.stdout);
    assert.equal(finished.code, 1);
    assert.match(
      line,
      /^failed {5}\S+\/team\/web:v1 -> \S+\/moved\/web:v1 : destination: .* \[DENIED\]; /,
    );
    assert.equal(
      last,
      'Verified(2) finished, 1 identical, 0 missing, 0 different, 0 incomplete, 1 failed',
    );
    assertForPeople(finished);
  });

test('A source that is gone proves nothing, and the reason is that of the source', async (t) => {
  const { source, desk } = await setUpCopied(t);
  source.store.repositories.delete('team/web');

  const { code, stdout } = await desk.run(['copy', 'verify']);

  assert.equal(code, 1);
  assert.match(stdout, /^failed {5}\S+\/team\/web:v1 -> .* : source: .* 404 .*; check the name/m);
});

test('A rule that cannot be used is no proof, and is said', async (t) => {
  const move = await setUpCopied(t);
  const { source, destination, desk } = move;
  await desk.write(
    'images.json',
    JSON.stringify({
      [`${source.host}/team/web:v1`]: `${destination.host}/moved/web`,
      [`${source.host}/team/app`]: `${destination.host}/moved/app:tag`,
    }),
  );

  const { code, stdout, stderr } = await desk.run(['copy', 'verify']);

  assert.equal(code, 1);
  assert.match(stderr, /has a tag, but the source has none/);
  assert.deepEqual(linesOf(stdout).slice(-2), [
    '1 rule cannot be used',
    'Verified(1) finished, 1 identical, 0 missing, 0 different, 0 incomplete, 0 failed',
  ]);
});

test('Who may only pull from the destination can verify', async (t) => {
  const { destination, desk } = await setUpCopied(t, { destination: { auth: 'token' } });
  const auth = JSON.parse(await desk.read('auth.json'));
  const { username, password } = READER;
  auth[destination.host] = { username, password, insecure: true };
  await desk.write('auth.json', JSON.stringify(auth));

  const { code, stdout, stderr } = await desk.run(['copy', 'verify']);

  assert.deepEqual([code, stderr], [0, '']);
  assert.match(stdout, /^Verified\(2\) finished, 2 identical, /m);
});

test('The log tells a verification from a copy, and logins are sealed after it', async (t) => {
  const { desk } = await setUpCopied(t, { destination: { auth: 'basic' } });
  const password = JSON.parse(await desk.read('auth.json'));

  const { code } = await desk.run(['copy', 'verify', '--log', 'verify.log']);

  const text = await desk.read('verify.log');
  const records = linesOf(text).map((line) => JSON.parse(line));
  assert.equal(code, 0);
  assert.deepEqual([...new Set(records.map(({ event }) => event))], ['begun', 'login', 'ended']);
  assert.deepEqual([records[0].kind, records.at(-1).kind], ['VerifyReport', 'VerifyReport']);
  assert.equal(records.at(-1).identical, 2);
  assert.notDeepEqual(JSON.parse(await desk.read('auth.json')), password);
  assert.match(await desk.read('auth.json'), /enc:v1:/);
});

test('A verification that cannot start is exit 2', async (t) => {
  const { desk } = await setUp(t);

  const missing = await desk.run(['copy', 'verify']);
  const unknown = await desk.run(['copy', 'verify', 'images.json']);

  assertRefused(missing, /^error: .*images\.json/);
  assertRefused(unknown, /^error: Unexpected argument: images\.json$/, /copy verify --help"$/);
});

for (const parameters of [[], ['--deep']])
  test(
    `Ctrl-C ends a verification ${parameters.join('')}, which says how far it came`,
    LIMIT,
    async (t) => {
      const { destination, desk, web } = await setUpCopied(t);
      const [, blob] = web.blobs;
      const stall: Fault = {
        class: 'blob',
        method: parameters.length > 0 ? 'GET' : 'HEAD',
        path: new RegExp(`moved/web/blobs/${blob?.digest}`),
        wait: 30_000,
      };
      destination.faults.add(stall);
      const command = desk.start(['copy', 'verify', ...parameters]);

      await eventually(() => destination.faults.applied(stall) > 0);
      command.child.kill('SIGINT');
      const finished = await command.ended;

      assert.equal(finished.code, 130);
      assert.match(
        linesOf(finished.stdout).at(-1) ?? '',
        /^Interrupted: [01] of 2 images are verified, [12] are left; run the same command again$/,
      );
      assert.doesNotMatch(finished.stdout, /^failed|^Verified/m);
      assertForPeople(finished);
    },
  );
