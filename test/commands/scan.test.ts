import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { parse } from 'yaml';
import type { ImageInventory } from '../../src/commands/scan/report.ts';
import { type Desk, openDesk } from '../support/cli.ts';
import { pushImage } from '../support/images.ts';
import { verifyImage } from '../support/images-verify.ts';
import { assertForPeople, assertRefused, linesOf, setUp } from './move.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;

const MANIFESTS = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop, labels: {app: web}}
spec:
  replicas: 0
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      initContainers: [{name: init, image: "busybox:1.36"}]
      containers:
        - {name: main, image: "nginx"}
        - {name: side, image: "quay.io/team/proxy:v3"}
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: nightly, namespace: jobs}
spec:
  schedule: "0 0 * * *"
  suspend: true
  jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: run, image: "nginx:latest"}]}}}}
---
apiVersion: v1
kind: List
items:
  - apiVersion: v1
    kind: Pod
    metadata: {name: pinned}
    spec: {containers: [{name: main, image: "gcr.io/a/b/tool@${DIGEST}"}]}
`;

async function desk(t: TestContext, manifests = MANIFESTS): Promise<Desk> {
  const opened = await openDesk();
  t.after(() => opened.close());
  await opened.write('all.yaml', manifests);
  return opened;
}

function podOf(name: string, image: string): string {
  const container = { name: 'main', image };
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name },
    spec: { containers: [container] },
  };
  return `---\n${JSON.stringify(pod)}\n`;
}

test('The table has a line for each image, with who uses it', async (t) => {
  const { run } = await desk(t);

  const { code, stdout, stderr } = await run(['scan', '-f', 'all.yaml', '-o', 'table']);

  assert.deepEqual([code, stderr], [0, '']);
  assert.deepEqual(
    linesOf(stdout).map((line) => line.split(/ {3,}/)),
    [
      ['IMAGE', 'USED BY'],
      ['busybox:1.36', 'shop/Deployment/web'],
      ['nginx', 'shop/Deployment/web'],
      ['nginx:latest', 'jobs/CronJob/nightly'],
      [`gcr.io/a/b/tool@${DIGEST}`, 'default/Pod/pinned'],
      ['quay.io/team/proxy:v3', 'shop/Deployment/web'],
    ],
  );
});

test('The wide table has a line for each container, with digest and destination', async (t) => {
  const { run } = await desk(t);

  const { stdout } = await run(['scan', '-f', 'all.yaml', '-o', 'wide', '-t', 'd.example/mirror']);

  const [head, first] = linesOf(stdout).map((line) => line.split(/ {3,}/));
  assert.deepEqual(head, [
    'IMAGE',
    'NAMESPACE',
    'KIND',
    'NAME',
    'CONTAINER',
    'DIGEST',
    'DESTINATION',
  ]);
  assert.deepEqual(first, [
    'busybox:1.36',
    'shop',
    'Deployment',
    'web',
    'init',
    '<none>',
    'd.example/mirror/busybox:1.36',
  ]);
});

test('JSON and YAML are the same inventory, with every field that it promises', async (t) => {
  const { run } = await desk(t);
  const common = ['scan', '-f', 'all.yaml', '-t', 'd.example/mirror', '--force'];

  const json = await run([...common, '-o', 'json']);
  const yaml = await run([...common, '-o', 'yaml']);

  const inventory = JSON.parse(json.stdout) as ImageInventory;
  assert.deepEqual(parse(yaml.stdout), inventory);
  assert.deepEqual([inventory.apiVersion, inventory.kind], ['migrate-images/v1', 'ImageInventory']);
  assert.deepEqual(
    inventory.images.map(({ image, reference, destination }) => [image, reference, destination]),
    [
      ['busybox:1.36', 'docker.io/library/busybox:1.36', 'd.example/mirror/busybox:1.36'],
      ['nginx', 'docker.io/library/nginx:latest', 'd.example/mirror/nginx:latest'],
      ['nginx:latest', 'docker.io/library/nginx:latest', 'd.example/mirror/nginx:latest'],
      [`gcr.io/a/b/tool@${DIGEST}`, `gcr.io/a/b/tool@${DIGEST}`, `d.example/mirror/tool@${DIGEST}`],
      ['quay.io/team/proxy:v3', 'quay.io/team/proxy:v3', 'd.example/mirror/proxy:v3'],
    ],
  );
  assert.deepEqual(inventory.images[0]?.usedBy, [
    { kind: 'Deployment', namespace: 'shop', name: 'web', container: 'init' },
  ]);
});

test('Names are qualified, unique and sorted', async (t) => {
  const { run } = await desk(t);

  const { stdout } = await run(['scan', '-f', 'all.yaml', '-o', 'name']);

  assert.deepEqual(linesOf(stdout), [
    'docker.io/library/busybox:1.36',
    'docker.io/library/nginx:latest',
    `gcr.io/a/b/tool@${DIGEST}`,
    'quay.io/team/proxy:v3',
  ]);
});

test('-t writes a sorted images.json that a second scan writes again to the byte', async (t) => {
  const { run, read } = await desk(t);

  const first = await run(['scan', '-f', 'all.yaml', '-t', 'd.example/mirror']);
  const map = await read('images.json');
  await run(['scan', '-f', 'all.yaml', '-t', 'd.example/mirror', '--force']);

  assert.equal(first.code, 0);
  assert.match(first.stdout, /^IMAGE /);
  assert.deepEqual(linesOf(first.stderr), [
    '4 images written to ./images.json; "copy" migrates them',
  ]);
  assert.equal(await read('images.json'), map);
  assert.deepEqual(linesOf(map), [
    '{',
    '  "docker.io/library/busybox:1.36": "d.example/mirror/busybox:1.36",',
    '  "docker.io/library/nginx:latest": "d.example/mirror/nginx:latest",',
    `  "gcr.io/a/b/tool@${DIGEST}": "d.example/mirror/tool@${DIGEST}",`,
    '  "quay.io/team/proxy:v3": "d.example/mirror/proxy:v3"',
    '}',
  ]);
});

test('An images.json that is there is refused, and stays as it is', async (t) => {
  const { run, read, write } = await desk(t);
  await write('images.json', '{"a/b:1": "c/d/e:1"}');

  const finished = await run(['scan', '-f', 'all.yaml', '-t', 'd.example/mirror']);

  assertRefused(
    finished,
    /^error: \.\/images\.json is there already$/,
    /--merge adds .* --force replaces .* --images/,
  );
  assert.equal(finished.stdout, '');
  assert.equal(await read('images.json'), '{"a/b:1": "c/d/e:1"}');
});

test('--merge keeps every character and adds what is new; --force replaces', async (t) => {
  const { run, read, write } = await desk(t);
  const mine = '{\n  // by hand\n  "nginx:latest": "mine.example/n/nginx:x"\n}\n';
  await write('images.json', mine);

  const merged = await run(['scan', '-f', 'all.yaml', '-t', 'd.example/mirror', '--merge']);
  const afterMerge = await read('images.json');
  const again = await run(['scan', '-f', 'all.yaml', '-t', 'd.example/mirror', '--merge']);
  const afterBoth = await read('images.json');
  await run(['scan', '-f', 'all.yaml', '-t', 'd.example/mirror', '--force']);

  assert.deepEqual([merged.code, again.code], [0, 0]);
  assert.match(merged.stderr, /^3 images added to \.\/images\.json/m);
  assert.match(again.stderr, /^0 images added to /m);
  assert.ok(afterMerge.startsWith(mine.slice(0, mine.lastIndexOf('\n}'))));
  assert.doesNotMatch(afterMerge, /library\/nginx/);
  assert.equal(afterBoth, afterMerge);
  assert.doesNotMatch(await read('images.json'), /by hand/);
});

for (const [what, rule] of [
  ['copies a whole repository', '"a.example/apps/catalog": "d.example/mirror/nginx"'],
  ['copies tags by a pattern', '"a.example/apps/catalog:/.*/": "d.example/mirror/nginx"'],
  ['names several tags', '"a.example/apps/catalog:x,latest": "d.example/mirror/nginx"'],
] as const)
  test(`--merge steps aside for a rule that ${what}`, async (t) => {
    const { run, read, write } = await desk(t);
    await write('images.json', `{${rule}}`);

    const { stderr } = await run(['scan', '-f', 'all.yaml', '-t', 'd.example/mirror', '--merge']);

    assert.match(stderr, /^collision: a\.example\/apps\/catalog and docker\.io\/library\/nginx/m);
    assert.match(await read('images.json'), /"d\.example\/mirror\/library\/nginx:latest"/);
  });

test('A scan that finds nothing writes nothing, and says so', async (t) => {
  const { run, write, path } = await desk(t);
  await write('empty.yaml', 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n');

  const { code, stderr } = await run(['scan', '-f', 'empty.yaml', '-t', 'd.example/mirror']);

  assert.equal(code, 0);
  assert.match(stderr, /^no images were found, and nothing was written$/m);
  assert.equal(existsSync(path('images.json')), false);
});

test('A full disk behind standard output is one line', async (t) => {
  const { run, shellCommand } = await desk(t);
  const command = shellCommand(['scan', '-f', 'all.yaml', '-o', 'name']);

  const { code, stderr } = await run(['-c', `${command} > /dev/full`], { program: '/bin/sh' });

  assert.equal(code, 1);
  assert.equal(stderr, 'error: cannot write to standard output: the disk is full\n');
});

test('--merge into a broken map changes nothing and says where it is broken', async (t) => {
  const { run, read, write } = await desk(t);
  await write('images.json', '{"a/b:1" "c/d/e:1"}');

  const finished = await run(['scan', '-f', 'all.yaml', '-t', 'd.example/mirror', '--merge']);

  assertRefused(finished, /^error: \.\/images\.json:1:\d+: broken JSON: /);
  assert.equal(await read('images.json'), '{"a/b:1" "c/d/e:1"}');
});

test('A map on standard output stands there alone', async (t) => {
  const { run, read } = await desk(t);

  const { code, stdout, stderr } = await run([
    'scan',
    '-f',
    'all.yaml',
    '-t',
    'd.example/m',
    '--images',
    '-',
  ]);

  assert.equal(code, 0);
  assert.equal(Object.keys(JSON.parse(stdout)).length, 4);
  assert.match(stderr, /^IMAGE /);
  assert.match(stderr, /^4 images written to standard output/m);
  await assert.rejects(read('images.json'), { code: 'ENOENT' });
});

test('preserve keeps the path of the source, flatten its last segment', async (t) => {
  const { run, read } = await desk(t, podOf('a', 'quay.io/team/deep/app:1'));

  await run(['scan', '-f', 'all.yaml', '-t', 'd.example/m', '--layout', 'preserve']);
  const preserved = await read('images.json');
  await run(['scan', '-f', 'all.yaml', '-t', 'd.example/m', '--force']);

  assert.match(preserved, /: "d\.example\/m\/team\/deep\/app:1"/);
  assert.match(await read('images.json'), /: "d\.example\/m\/app:1"/);
});

test('Images that would meet both get a path of their own, and that is said', async (t) => {
  const { run, read } = await desk(
    t,
    podOf('a', 'quay.io/one/app:1') + podOf('b', 'quay.io/two/app:1'),
  );

  const { code, stderr } = await run(['scan', '-f', 'all.yaml', '-t', 'd.example/m']);

  const destinations = Object.values(JSON.parse(await read('images.json')));
  assert.equal(code, 0);
  assert.match(
    stderr,
    /^collision: quay\.io\/one\/app and quay\.io\/two\/app would meet at one destination/m,
  );
  assert.deepEqual(destinations, ['d.example/m/one/app:1', 'd.example/m/two/app:1']);
});

test('What is no image is said with who uses it, exit 1, and the rest is mapped', async (t) => {
  const { run, read } = await desk(
    t,
    podOf('good', 'quay.io/one/app:1') + podOf('bad', 'Not An Image!'),
  );

  const finished = await run(['scan', '-f', 'all.yaml', '-t', 'd.example/m']);

  assert.equal(finished.code, 1);
  assert.match(finished.stderr, /^not an image: default\/Pod\/bad: "Not An Image!"/m);
  assert.deepEqual(Object.keys(JSON.parse(await read('images.json'))), ['quay.io/one/app:1']);
  assertForPeople(finished);
});

test('-n and -l choose workloads, also by their long names and repeated', async (t) => {
  const { run } = await desk(t);
  const names = async (...parameters: string[]) =>
    linesOf((await run(['scan', '-f', 'all.yaml', '-o', 'name', ...parameters])).stdout);

  const jobs = await names('-n', 'jobs');
  const both = await names('-n', 'jobs,shop');
  const repeated = await names('--namespace', 'jobs', '--namespaces', 'shop');
  const labelled = await names('-l', 'app=web');
  const all = await names('-A');

  assert.deepEqual(jobs, ['docker.io/library/nginx:latest']);
  assert.equal(both.length, 3);
  assert.deepEqual(repeated, both);
  assert.equal(labelled.length, 3);
  assert.equal(all.length, 4);
});

test('Manifests come from folders and from standard input too', async (t) => {
  const { run, path } = await desk(t);
  await mkdir(path('deploy'));
  await writeFile(join(path('deploy'), 'a.yml'), podOf('a', 'quay.io/one/app:1'));

  const folder = await run(['scan', '-f', 'deploy', '-o', 'name']);
  const both = await run(['scan', '-f', 'deploy', '-f', '-', '-o', 'name'], { input: MANIFESTS });

  assert.deepEqual(linesOf(folder.stdout), ['quay.io/one/app:1']);
  assert.equal(linesOf(both.stdout).length, 5);
});

for (const [what, parameters, message, hint] of [
  [
    'A missing --repo',
    [],
    /^error: --repo is missing: /,
    /^write -t REGISTRY\/NAMESPACE, or only look/,
  ],
  [
    'A --repo without namespace',
    ['-t', 'd.example'],
    /^error: --repo: "d\.example" is not a registry/,
    /for example registry\.example\.com\/mirror/,
  ],
  [
    'A --repo with a tag',
    ['-t', 'd.example/m:1'],
    /^error: --repo: "d\.example\/m:1" is not a registry/,
    /for example/,
  ],
  [
    'A --repo in upper case',
    ['-t', 'd.example/M'],
    /^error: --repo: .*must be lower case$/,
    /for example/,
  ],
  [
    'A missing manifest',
    ['-f', 'no.yaml', '-o', 'name'],
    /^error: cannot read no\.yaml: no such file/,
    undefined,
  ],
] as const)
  test(`${what} is one clear line, and nothing is written`, async (t) => {
    const { run, read } = await desk(t);

    const finished = await run([
      'scan',
      ...(parameters.includes('-f' as never) ? [] : ['-f', 'all.yaml']),
      ...parameters,
    ]);

    assertRefused(finished, message, hint);
    await assert.rejects(read('images.json'), { code: 'ENOENT' });
  });

test('A broken manifest says where, and no map is written', async (t) => {
  const { run, read } = await desk(t, 'apiVersion: v1\nkind: Pod\nmetadata: {name: a\n');

  const finished = await run(['scan', '-f', 'all.yaml', '-t', 'd.example/m']);

  assert.notEqual(finished.code, 0);
  assert.match(finished.stderr, /all\.yaml:\d+:\d+/);
  assertForPeople(finished);
  if (finished.code === 2) await assert.rejects(read('images.json'), { code: 'ENOENT' });
});

test('A scan is piped into a copy', async (t) => {
  const { source, destination, desk: at } = await setUp(t);
  const app = await pushImage(source, { repository: 'team/app', tag: 'v1' });
  await at.write('pod.yaml', podOf('a', `${source.host}/team/app:v1`));
  const scan = at.shellCommand([
    'scan',
    '-f',
    'pod.yaml',
    '--images',
    '-',
    '-t',
    `${destination.host}/m`,
  ]);
  const copy = at.shellCommand(['copy', '--images', '-']);

  const { code, stdout } = await at.run(['-c', `(${scan}) 2>scan.err | (${copy})`], {
    program: '/bin/sh',
  });

  assert.equal(code, 0, stdout);
  assert.match(
    stdout,
    /^Images\(1\) migration finished, 0 images tasks failed, 0 tasks generate failed$/m,
  );
  assert.deepEqual(await verifyImage(destination, 'm/app', 'v1', app.digest), []);
});
