import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openPane } from '../progress/pane.ts';
import { pushImage } from '../support/images.ts';
import { findProgram } from '../support/process.ts';
import { skipUnless } from '../support/requirement.ts';
import { gate, linesOf, type Move, reportIn, setUp } from './move.ts';

const TMUX = {
  name: 'tmux',
  found: findProgram('tmux') !== undefined,
  remedy: 'install tmux (apt-get install tmux)',
};
const ESCAPE = '\u001b';

async function fill({ source, destination, desk }: Move): Promise<void> {
  await pushImage(source, { repository: 'team/app', tag: 'v1' });
  await pushImage(source, { repository: 'team/web', tag: 'v1' });
  await desk.write(
    'images.json',
    JSON.stringify(
      {
        [`${source.host}/team/app:v1`]: `${destination.host}/moved/app`,
        [`${source.host}/team/web:v1`]: `${destination.host}/moved/web`,
        [`${source.host}/team/gone:v1`]: `${destination.host}/moved/gone`,
        [`${source.host}/team/app`]: `${destination.host}/moved/app:tag`,
      },
      undefined,
      2,
    ),
  );
}

test('With -o json the report is alone on standard output, and everything else on standard error', async (t) => {
  const move = await setUp(t);
  await fill(move);

  const finished = await move.desk.run(['copy', '-o', 'json', '-r', '0']);

  const report = reportIn(finished);
  const lines = linesOf(finished.stderr);
  const said = lines.filter((line) => /^(Start|Images)/.test(line));
  assert.equal(finished.code, 1);
  assert.deepEqual(said, [
    'Start to generate images tasks, please wait ...',
    'Start to handle images tasks, please wait ...',
    'Images(3) migration finished, 1 images tasks failed, 1 tasks generate failed',
  ]);
  assert.equal(lines.filter((line) => line.startsWith('copied ')).length, 2);
  assert.deepEqual([report.apiVersion, report.kind], ['migrate-images/v1', 'CopyReport']);
});

test('The report has every field that it promises', async (t) => {
  const move = await setUp(t);
  await fill(move);
  const { source, destination } = move;

  const { summary, images, rules } = reportIn(
    await move.desk.run(['copy', '-o', 'json', '-r', '0']),
  );

  const { durationMs, bytesTransferred, ...counts } = summary;
  const [app, , gone] = images;
  assert.deepEqual(counts, {
    images: 3,
    copied: 2,
    skipped: 0,
    failed: 1,
    rulesFailed: 1,
    blobsTransferred: 6,
    blobsMounted: 0,
    blobsExisting: 0,
    interrupted: false,
  });
  assert.ok(Number.isInteger(durationMs) && durationMs > 0);
  assert.equal(
    bytesTransferred,
    images.reduce((sum, { bytes }) => sum + bytes, 0),
  );
  assert.deepEqual(
    { ...app, bytes: 0 },
    {
      source: `${source.host}/team/app:v1`,
      destination: `${destination.host}/moved/app:v1`,
      status: 'copied',
      sourceDigest: app?.sourceDigest,
      destinationDigest: app?.sourceDigest,
      bytes: 0,
      attempts: 1,
      referrers: 0,
      notes: [],
    },
  );
  assert.match(app?.sourceDigest ?? '', /^sha256:[0-9a-f]{64}$/);
  assert.equal(gone?.status, 'failed');
  assert.deepEqual(Object.keys(gone?.error ?? {}), ['code', 'message', 'hint']);
  assert.match(gone?.error?.code ?? '', /^(MANIFEST_UNKNOWN|NAME_UNKNOWN|NOT_FOUND)$/);
  assert.deepEqual(rules, [
    {
      line: 5,
      column: 3,
      source: `${source.host}/team/app`,
      destination: `${destination.host}/moved/app:tag`,
      error: { code: 'INVALID_RULE', message: rules[0]?.error.message },
    },
  ]);
  assert.match(rules[0]?.error.message ?? '', /has a tag, but the source has none/);
});

test('References in the report are fully qualified', async (t) => {
  const { destination, desk } = await setUp(t);
  await desk.write('images.json', JSON.stringify({ 'nginx:1.27': `${destination.host}/moved/n` }));
  // The proxy is closed: nothing of this leaves the machine.
  const environment = { HTTPS_PROXY: 'http://127.0.0.1:9', NO_PROXY: '127.0.0.1' };

  const finished = await desk.run(['copy', '-o', 'json', '-r', '0'], { environment });

  const [image] = reportIn(finished).images;
  assert.equal(image?.source, 'docker.io/library/nginx:1.27');
  assert.equal(image?.destination, `${destination.host}/moved/n:1.27`);
});

test('Without a terminal there is one plain line for each image', async (t) => {
  const move = await setUp(t);
  await fill(move);

  const { stdout } = await move.desk.run(['copy', '-r', '0']);

  const lines = linesOf(stdout);
  assert.ok(!stdout.includes(ESCAPE));
  assert.equal(lines.filter((line) => /^(copied|failed) +\S+ -> \S+ /.test(line)).length, 3);
  assert.equal(lines.length, 7);
});

for (const [what, parameters, environment] of [
  ['CI', [], { CI: 'true' }],
  ['NO_COLOR', [], { NO_COLOR: '1' }],
  ['--no-progress', ['--no-progress'], {}],
] as const)
  test(`On a terminal, ${what} means plain lines`, { skip: skipUnless(TMUX) }, async (t) => {
    const move = await setUp(t);
    await fill(move);
    const command = move.desk.shellCommand(['copy', '-r', '0', ...parameters], environment);
    const pane = openPane(
      200,
      24,
      `script -qec "${command.replaceAll('"', '\\"')}" /dev/null > ${move.desk.path('out')}`,
    );
    t.after(() => pane.close());

    await pane.until(/^code \d+$/);

    const text = await move.desk.read('out');
    assert.ok(!text.includes(ESCAPE), JSON.stringify(text));
    assert.match(text, /^copied .*team\/app:v1/m);
    assert.match(text, /^Images\(3\) migration finished, 1 images tasks failed, 1 tasks/m);
  });

test('On a terminal of 80 by 24 lanes are drawn, and the three lines stay', {
  skip: skipUnless(TMUX),
}, async (t) => {
  const { source, destination, desk } = await setUp(t);
  await pushImage(source, { repository: 'team/app', tag: 'v1', layerSize: 300_000 });
  const go = gate();
  t.after(() => go.open());
  destination.faults.add({ method: 'PUT', class: 'manifest', wait: go.opened });
  await desk.write(
    'images.json',
    JSON.stringify({ [`${source.host}/team/app:v1`]: `${destination.host}/moved/app` }),
  );
  const pane = openPane(80, 24, desk.shellCommand(['copy']));
  t.after(() => pane.close());

  const during = await pane.until(/^ {2}\S*team\/app/);
  go.open();
  const afterwards = await pane.until(/^code 0$/);

  assert.ok(
    during.some((line) => /\b0 of 1 images/.test(line)),
    during.join('\n'),
  );
  const text = afterwards.join('\n');
  assert.match(
    text,
    /^Start to generate images tasks, please wait \.\.\.\nStart to handle images tasks, please wait \.\.\.\ncopied .*\n(.*\n)?1 copied, .*\nImages\(1\) migration finished, 0 images tasks failed, 0 tasks generate failed\ncode 0$/m,
  );
  assert.equal(pane.cursor().visible, true);
});

test('The log is appended to, as JSON lines without any secret, for its owner alone', async (t) => {
  const password = 'pa$$word-that-nobody-may-read';
  const users = [{ username: 'somebody-special', password }];
  const move = await setUp(t, {
    source: { auth: 'basic', users },
    destination: { auth: 'token', users },
  });
  await fill(move);
  const { desk } = move;
  await desk.run(['copy', '-r', '0']);
  const first = await desk.read('image-migrator.log');

  await desk.run(['copy', '-r', '0']);

  const text = await desk.read('image-migrator.log');
  const records = linesOf(text).map((line) => JSON.parse(line));
  assert.ok(text.startsWith(first) && text.length > first.length);
  assert.ok(records.every(({ time, event }) => Date.parse(time) > 0 && typeof event === 'string'));
  assert.equal(records.filter(({ event }) => event === 'ended').length, 2);
  assert.ok(records.some(({ event, origin }) => event === 'login' && /auth\.json/.test(origin)));
  assert.doesNotMatch(text, /nobody-may-read|somebody-special|Bearer|Basic/);
  assert.equal(await desk.modeOf(desk.path('image-migrator.log')), 0o600);
});

test('The log goes where --log says', async (t) => {
  const move = await setUp(t);
  await fill(move);

  await move.desk.run(['copy', '--log', 'other.log', '-r', '0']);

  assert.match(await move.desk.read('other.log'), /"event":"ended"/);
  await assert.rejects(move.desk.read('image-migrator.log'), { code: 'ENOENT' });
});
