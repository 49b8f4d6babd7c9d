import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pushImage } from '../support/images.ts';
import { pushDockerList, pushMultiPlatform } from '../support/images-kinds.ts';
import { verifyImage } from '../support/images-verify.ts';
import { startRegistry } from '../support/registry.ts';
import { linesOf, loginsTo, reportIn, setUp } from './move.ts';

const GENERATING = 'Start to generate images tasks, please wait ...';
const HANDLING = 'Start to handle images tasks, please wait ...';

test('A copy says the three lines in order, exits 0 and moves every byte', async (t) => {
  const { source, destination, desk } = await setUp(t);
  const app = await pushMultiPlatform(source, { repository: 'team/app', tag: 'v1' });
  const list = await pushDockerList(source, { repository: 'team/list', tag: 'v2' });
  await desk.write(
    'images.json',
    JSON.stringify({
      [`${source.host}/team/app:v1`]: `${destination.host}/moved/app`,
      [`${source.host}/team/list:v2`]: `${destination.host}/moved/list:other`,
    }),
  );

  const { code, stdout, stderr } = await desk.run(['copy']);

  const lines = linesOf(stdout);
  assert.equal(stderr, '');
  assert.equal(code, 0);
  assert.equal(lines[0], GENERATING);
  assert.equal(lines[1], HANDLING);
  assert.equal(
    lines.at(-1),
    'Images(2) migration finished, 0 images tasks failed, 0 tasks generate failed',
  );
  assert.equal(lines.filter((line) => line.startsWith('copied ')).length, 2);
  assert.deepEqual(await verifyImage(destination, 'moved/app', 'v1', app.digest), []);
  assert.deepEqual(await verifyImage(destination, 'moved/list', 'other', list.digest), []);
});

test('A second run skips with one HEAD on each side, and no other request for content', async (t) => {
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

  const { code, stdout } = await desk.run(['copy']);

  for (const registry of [source, destination]) {
    await registry.settle();
    const requests = registry.log.summary().filter((line) => !line.includes(' ping '));
    assert.deepEqual(requests, ['HEAD manifest 200']);
  }
  assert.equal(code, 0);
  assert.match(stdout, /^skipped {2}\S+ -> \S+ {2}already there$/m);
  assert.match(stdout, /^0 copied, 1 already there, 0 failed; 0 B in 0 blobs sent/m);
});

test('What fails is exit 1, counted in the last line, and the rest still moves', async (t) => {
  const { source, destination, desk } = await setUp(t);
  const app = await pushImage(source, { repository: 'team/app', tag: 'v1' });
  await desk.write(
    'images.json',
    JSON.stringify(
      {
        [source.host]: '',
        [`${source.host}/team/gone:v1`]: `${destination.host}/moved/gone`,
        [`${source.host}/team/app:v1`]: `${destination.host}/moved/app`,
      },
      undefined,
      2,
    ),
  );

  const { code, stdout, stderr } = await desk.run(['copy', '-r', '0']);

  assert.equal(code, 1);
  assert.equal(
    linesOf(stdout).at(-1),
    'Images(2) migration finished, 1 images tasks failed, 1 tasks generate failed',
  );
  assert.match(stdout, /^failed .*team\/gone:v1 -> .* : source: .*\[\w+\]; check the name/m);
  assert.match(stderr, /^\.\/images\.json:2:3: "127\.0\.0\.1:\d+" -> "": .* a rule needs a repo/);
  assert.deepEqual(await verifyImage(destination, 'moved/app', 'v1', app.digest), []);
});

test('A source goes to several destinations, by a list and by a repeated key', async (t) => {
  const { source, destination, desk } = await setUp(t);
  const other = await startRegistry();
  t.after(() => other.close());
  await desk.write('auth.json', loginsTo(source, destination, other));
  const app = await pushImage(source, { repository: 'team/app', tag: 'v1' });
  const key = JSON.stringify(`${source.host}/team/app:v1`);
  await desk.write(
    'images.json',
    `{${key}: ["${destination.host}/one/app", "${other.host}/two/app:v2"], ${key}: "${destination.host}/three/app"}`,
  );

  const { code, stdout } = await desk.run(['copy']);

  assert.equal(code, 0, stdout);
  assert.match(stdout, /^Images\(3\) migration finished, 0 /m);
  assert.deepEqual(await verifyImage(destination, 'one/app', 'v1', app.digest), []);
  assert.deepEqual(await verifyImage(other, 'two/app', 'v2', app.digest), []);
  assert.deepEqual(await verifyImage(destination, 'three/app', 'v1', app.digest), []);
});

test('A source without a tag means all tags, and a pattern those that match as a whole', async (t) => {
  const { source, destination, desk } = await setUp(t);
  for (const tag of ['v1', 'v2', 'v2-rc', 'latest']) {
    await pushImage(source, { repository: 'team/all', tag });
    await pushImage(source, { repository: 'team/some', tag });
  }
  await desk.write(
    'images.json',
    JSON.stringify({
      [`${source.host}/team/all`]: `${destination.host}/moved/all`,
      [`${source.host}/team/some:/v\\d+/`]: `${destination.host}/moved/some`,
    }),
  );

  const finished = await desk.run(['copy', '-o', 'json']);

  const destinations = reportIn(finished).images.map((image) =>
    image.destination.replace(destination.host, ''),
  );
  assert.equal(finished.code, 0);
  assert.deepEqual(destinations.sort(), [
    '/moved/all:latest',
    '/moved/all:v1',
    '/moved/all:v2',
    '/moved/all:v2-rc',
    '/moved/some:v1',
    '/moved/some:v2',
  ]);
});

test('Several tags map left to right, and a digest is copied under the tag that stands beside it', async (t) => {
  const { source, destination, desk } = await setUp(t);
  const one = await pushImage(source, { repository: 'team/app', tag: 'v1' });
  const two = await pushImage(source, { repository: 'team/app', tag: 'v2' });
  await desk.write(
    'images.json',
    JSON.stringify({
      [`${source.host}/team/app:v1,v2`]: `${destination.host}/moved/app:a,b`,
      [`${source.host}/team/app:v1@${one.digest}`]: `${destination.host}/pinned/app`,
      [`${source.host}/team/app@${two.digest}`]: `${destination.host}/bare/app`,
    }),
  );

  const { code, stderr } = await desk.run(['copy']);

  assert.equal(code, 0, stderr);
  assert.deepEqual(await verifyImage(destination, 'moved/app', 'a', one.digest), []);
  assert.deepEqual(await verifyImage(destination, 'moved/app', 'b', two.digest), []);
  assert.deepEqual(await verifyImage(destination, 'pinned/app', 'v1', one.digest), []);
  assert.deepEqual(await verifyImage(destination, 'bare/app', two.digest), []);
});

test('An empty destination is the default registry and namespace, from the environment or from flags', async (t) => {
  const { source, destination, desk } = await setUp(t);
  const deep = await pushImage(source, { repository: 'a/b/c', tag: '1' });
  const environment = { DEFAULT_REGISTRY: destination.host, DEFAULT_NAMESPACE: 'fallback' };
  await desk.write('images.json', JSON.stringify({ [`${source.host}/a/b/c:1`]: '' }));

  const byEnvironment = await desk.run(['copy'], { environment });
  const byFlags = await desk.run(['copy', '--namespace', 'given'], { environment });

  assert.deepEqual([byEnvironment.code, byFlags.code], [0, 0]);
  assert.deepEqual(await verifyImage(destination, 'fallback/b/c', '1', deep.digest), []);
  assert.deepEqual(await verifyImage(destination, 'given/b/c', '1', deep.digest), []);
});

test('Sources that name no registry come from the default one', async (t) => {
  const { source, destination, desk } = await setUp(t);
  const bare = await pushImage(source, { repository: 'base/nginx', tag: '1' });
  const full = await pushImage(source, { repository: 'team/app', tag: '2' });
  await desk.write(
    'images.json',
    JSON.stringify({
      'nginx:1': `${destination.host}/moved/nginx`,
      'team/app:2': `${destination.host}/moved/app`,
    }),
  );
  const defaults = ['--default-source-registry', source.host, '--default-source-namespace', 'base'];

  const { code, stdout } = await desk.run(['copy', ...defaults]);

  assert.equal(code, 0, stdout);
  assert.deepEqual(await verifyImage(destination, 'moved/nginx', '1', bare.digest), []);
  assert.deepEqual(await verifyImage(destination, 'moved/app', '2', full.digest), []);
});

test('A rule without destination and without defaults says which flag or variable to give', async (t) => {
  const { source, desk } = await setUp(t);
  await desk.write('images.json', JSON.stringify({ [`${source.host}/a/b/c:1`]: '' }));

  const { code, stdout, stderr } = await desk.run(['copy']);

  assert.equal(code, 1);
  assert.match(stdout, /^Images\(0\) migration finished, 0 images tasks failed, 1 tasks generate/m);
  assert.match(stderr, /no registry; write one, or give --registry \(or set DEFAULT_REGISTRY\)/);
});

for (const [what, name, write] of [
  ['YAML', 'images.yaml', (from: string, to: string) => `# moved in May\n${from}: ${to}\n`],
  [
    'JSON with comments and a comma at its end',
    'images.json',
    (from: string, to: string) => `// moved in May\n{ /* the app */ "${from}": "${to}", }\n`,
  ],
] as const)
  test(`Rules are read from ${what}`, async (t) => {
    const { source, destination, desk } = await setUp(t);
    const app = await pushImage(source, { repository: 'team/app', tag: 'v1' });
    await desk.write(name, write(`${source.host}/team/app:v1`, `${destination.host}/moved/app`));

    const { code, stderr } = await desk.run(['copy', '--images', name]);

    assert.equal(code, 0, stderr);
    assert.deepEqual(await verifyImage(destination, 'moved/app', 'v1', app.digest), []);
  });

test('Rules are read from standard input, which errors call by its name', async (t) => {
  const { source, destination, desk } = await setUp(t);
  const app = await pushImage(source, { repository: 'team/app', tag: 'v1' });
  const input = `${source.host}/team/app:v1: ${destination.host}/moved/app\n? bad//name:x\n`;

  const { code, stderr } = await desk.run(['copy', '--images', '-'], { input });

  assert.equal(code, 1);
  assert.match(stderr, /^standard input:2:3: "bad\/\/name:x"/);
  assert.deepEqual(await verifyImage(destination, 'moved/app', 'v1', app.digest), []);
});

test('Two sources for one destination are an error of the later rule, and the first one is copied', async (t) => {
  const { source, destination, desk } = await setUp(t);
  const one = await pushImage(source, { repository: 'team/one', tag: 'v1' });
  await pushImage(source, { repository: 'team/two', tag: 'v1' });
  const rule = (name: string) =>
    `"${source.host}/team/${name}:v1": "${destination.host}/moved/app"`;
  await desk.write('images.json', `{\n${rule('one')},\n${rule('two')}\n}`);

  const { code, stderr } = await desk.run(['copy']);

  assert.equal(code, 1);
  assert.match(stderr, /^\.\/images\.json:3:1: .*already the destination of line 2/);
  assert.deepEqual(await verifyImage(destination, 'moved/app', 'v1', one.digest), []);
});

test('A failed image is tried again as often as -r says', async (t) => {
  const { source, destination, desk } = await setUp(t);
  await pushImage(source, { repository: 'team/app', tag: 'v1' });
  destination.faults.add({ method: 'PUT', class: 'manifest', answer: { status: 500 }, times: 4 });
  await desk.write(
    'images.json',
    JSON.stringify({ [`${source.host}/team/app:v1`]: `${destination.host}/moved/app` }),
  );

  const finished = await desk.run(['copy', '-r', '1', '-o', 'json']);

  assert.equal(finished.code, 0, finished.stderr);
  const { images, summary } = reportIn(finished);
  assert.equal(images[0]?.attempts, 2);
  assert.equal(images[0]?.bytes, summary.bytesTransferred);
  assert.match(finished.stderr, /^retry {4}.*attempt 1 failed, again in /m);
});

test('No more images are in flight than -w says', async (t) => {
  const { source, destination, desk } = await setUp(t);
  const names = Array.from({ length: 5 }, (_, number) => `team/app${number}`);
  for (const repository of names) await pushImage(source, { repository, tag: 'v1', layers: 1 });
  let open = 0;
  let most = 0;
  const inFlight = new Set<string>();
  destination.faults.add({
    method: 'POST',
    class: 'upload',
    where: ({ path }) => {
      inFlight.add(path);
      open = inFlight.size;
      most = Math.max(most, open);
      return false;
    },
  });
  destination.faults.add({
    method: 'PUT',
    class: 'manifest',
    where: ({ path }) => {
      const [, repository] = /^\/v2\/(.+)\/manifests\//.exec(path) ?? [];
      inFlight.delete(`/v2/${repository}/blobs/uploads/`);
      return false;
    },
  });
  const rules = names.map((name) => [
    `${source.host}/${name}:v1`,
    `${destination.host}/to/${name}`,
  ]);
  await desk.write('images.json', JSON.stringify(Object.fromEntries(rules)));

  const { code } = await desk.run(['copy', '-w', '2']);

  assert.equal(code, 0);
  assert.ok(most >= 1 && most <= 2, `${most} images were in flight`);
});

test('Unless -w is given, the blobs of images that wait go beside those in flight', {
  timeout: 60_000,
}, async (t) => {
  const { source, destination, desk } = await setUp(t);
  const names = Array.from({ length: 30 }, (_, number) => `team/app${number}`);
  for (const repository of names) await pushImage(source, { repository, tag: 'v1', layers: 1 });
  const begun = new Set<string>();
  const all = Promise.withResolvers<void>();
  // No image arrives before something of every one was sent: 7 and 16 in flight would wait for ever.
  destination.faults.add({
    method: 'POST',
    where: ({ path }) => {
      begun.add(path);
      if (begun.size === names.length) all.resolve();
      return false;
    },
  });
  destination.faults.add({ method: 'PUT', class: 'manifest', wait: all.promise });
  const rules = names.map((name) => [
    `${source.host}/${name}:v1`,
    `${destination.host}/to/${name}`,
  ]);
  await desk.write('images.json', JSON.stringify(Object.fromEntries(rules)));

  const { code } = await desk.run(['copy']);

  assert.equal(code, 0);
  assert.equal(begun.size, names.length);
});
