import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Inventory } from '../../src/cluster/inventory.ts';
import { readManifests } from '../../src/cluster/manifests.ts';
import { type ScanOptions, scan } from '../../src/cluster/scan.ts';
import { run } from '../support/process.ts';

let folder: string;
let files = 0;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'manifests-'));
});
after(() => rm(folder, { recursive: true, force: true }));

async function file(content: string, name = `${files++}.yaml`): Promise<string> {
  const path = join(folder, name);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, content);
  return path;
}

async function scanned(content: string, options: ScanOptions = {}): Promise<Inventory> {
  return scan(await readManifests([await file(content)]), options);
}

/** `image <- kind namespace/name container`, one line for each use. */
function lines({ images }: Inventory): readonly string[] {
  return images.flatMap(({ image, usedBy }) =>
    usedBy.map((use) => `${image} <- ${use.kind} ${use.namespace}/${use.name} ${use.container}`),
  );
}

function deployment(name: string, image: string, more = ''): string {
  return `
apiVersion: apps/v1
kind: Deployment
metadata: {name: ${name}${more}}
spec: {template: {spec: {containers: [{name: c, image: "${image}"}]}}}
`;
}

describe('manifests', () => {
  it('are read as several documents, empty ones left out, in the namespace default', async () => {
    const text = `---\n${deployment('a', 'one')}---\n# nothing\n---\n${deployment('b', 'two', ', namespace: n')}`;

    assert.deepEqual(lines(await scanned(text)), [
      'one <- Deployment default/a c',
      'two <- Deployment n/b c',
    ]);
  });

  it('are read from lists, also nested, and from lists of one kind', async () => {
    const inventory = await scanned(`
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{name: c, image: one}]}}
- apiVersion: v1
  kind: PodList
  items: [{metadata: {name: b}, spec: {containers: [{name: c, image: two}]}}]
`);

    assert.deepEqual(lines(inventory), ['one <- Pod default/a c', 'two <- Pod default/b c']);
  });

  it('are read from JSON, whatever the file is called', async () => {
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'a' },
      spec: { containers: [{ name: 'c', image: 'one' }] },
    };
    const path = await file(JSON.stringify(pod), 'pod.txt');

    const inventory = await scan(await readManifests([path]));

    assert.deepEqual(lines(inventory), ['one <- Pod default/a c']);
  });

  it('may use anchors, merge keys, and groups and versions of the past', async () => {
    const inventory = await scanned(`
apiVersion: extensions/v1beta1
kind: Deployment
metadata: {name: old}
spec:
  template:
    spec:
      containers:
      - &c {name: c, image: one}
      - {<<: *c, name: d}
`);

    assert.deepEqual(lines(inventory), [
      'one <- Deployment default/old c',
      'one <- Deployment default/old d',
    ]);
  });

  it('may hold kinds that nobody knows, where something in them is a pod', async () => {
    const inventory = await scanned(`
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: a, namespace: n}
spec: {template: {spec: {containers: [{name: c, image: one}]}}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {image: "not-an-image"}
`);

    assert.deepEqual(lines(inventory), ['one <- Rollout n/a c']);
    assert.deepEqual(inventory.unreadable, []);
  });

  it('give the place of a broken document, and the others count', async () => {
    const path = await file(
      `${deployment('a', 'one')}---\nkind: Pod\n  bad: [\n---\n${deployment('b', 'two')}`,
    );

    const inventory = await scan(await readManifests([path]));

    assert.deepEqual(lines(inventory), [
      'one <- Deployment default/a c',
      'two <- Deployment default/b c',
    ]);
    const [broken] = inventory.unreadable;
    assert.match(broken?.resource ?? '', /\.yaml:[789]:\d+$/);
    assert.match(broken?.reason ?? '', /^broken YAML: /);
  });

  it('name the documents that are no Kubernetes objects', async () => {
    const path = await file('replicas: 1\n', 'values.yaml');

    const { unreadable } = await scan(await readManifests([path]));

    assert.deepEqual(unreadable, [
      { resource: `${path}:1:1`, reason: 'this is no Kubernetes object: it has no kind' },
    ]);
  });

  it('do not let aliases multiply without end', async () => {
    const layers = Array.from({ length: 9 }, (_, layer) => {
      const items = Array.from({ length: 9 }, () => (layer === 0 ? 'x' : `*a${layer - 1}`));
      return `a${layer}: &a${layer} [${items.join(', ')}]`;
    });

    const { unreadable } = await scanned(`kind: Pod\n${layers.join('\n')}\n`);

    assert.match(unreadable[0]?.reason ?? '', /alias/i);
  });

  it('are filtered by namespace and by the labels of the workload', async () => {
    const text = [
      deployment('a', 'one', ', namespace: n, labels: {app: web}'),
      deployment('b', 'two', ', namespace: n'),
      deployment('c', 'three', ', labels: {app: web}'),
    ].join('---\n');

    const here = await scanned(text, { namespaces: ['n'] });
    const web = await scanned(text, { selector: 'app=web' });
    const both = await scanned(text, { namespaces: ['n'], selector: '!app' });

    assert.deepEqual(lines(here), ['one <- Deployment n/a c', 'two <- Deployment n/b c']);
    assert.deepEqual(lines(web), ['one <- Deployment n/a c', 'three <- Deployment default/c c']);
    assert.deepEqual(lines(both), ['two <- Deployment n/b c']);
  });

  it('say that nothing is in a namespace that was asked for', async () => {
    const { images, unreadable } = await scanned(deployment('a', 'one'), { namespaces: ['typo'] });

    assert.deepEqual(images, []);
    assert.deepEqual(unreadable, [
      {
        resource: 'namespaces',
        namespace: 'typo',
        reason: 'there is no namespace "typo" in the manifests',
      },
    ]);
  });

  it('know a namespace that they create and leave empty', async () => {
    const text = 'apiVersion: v1\nkind: Namespace\nmetadata: {name: new}\n';

    assert.deepEqual((await scanned(text, { namespaces: ['new'] })).unreadable, []);
  });

  it('report pods under their owner as a cluster does', async () => {
    const inventory = await scanned(`
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: a, uid: u-1}
spec: {template: {spec: {containers: [{name: c, image: one}]}}}
---
apiVersion: v1
kind: Pod
metadata: {name: a-0, ownerReferences: [{kind: StatefulSet, name: a, uid: u-1, controller: true}]}
spec: {containers: [{name: c, image: one}, {name: sidecar, image: two}]}
`);

    assert.deepEqual(lines(inventory), [
      'one <- StatefulSet default/a c',
      'two <- Pod default/a-0 sidecar',
    ]);
  });
});

describe('a folder of manifests', () => {
  before(async () => {
    await file(deployment('a', 'one'), 'apps/a.yml');
    await file('not a manifest', 'apps/README.md');
    await file(deployment('b', 'two'), 'apps/below/b.yaml');
  });

  it('is read without the folders in it, as kubectl does', async () => {
    const inventory = await scan(await readManifests([join(folder, 'apps')]));

    assert.deepEqual(lines(inventory), ['one <- Deployment default/a c']);
    assert.deepEqual(inventory.unreadable, []);
  });

  it('is read with the folders in it where that is asked for', async () => {
    const cluster = await readManifests([join(folder, 'apps')], { recursive: true });

    assert.equal((await scan(cluster)).images.length, 2);
  });

  it('is refused where it holds no manifest', async () => {
    await file('x', 'nothing/x.txt');
    const path = join(folder, 'nothing');

    await assert.rejects(readManifests([path]), {
      name: 'ClusterError',
      message: `there is no manifest in ${path}`,
    });
  });

  it('is named where it does not exist', async () => {
    const path = join(folder, 'nowhere');

    await assert.rejects(readManifests([path]), {
      reason: 'configuration',
      message: `cannot read ${path}: no such file or folder`,
    });
  });
});

describe('standard input', () => {
  it('is read for "-"', async () => {
    const program = `
      import { readManifests } from ${JSON.stringify(import.meta.resolve('../../src/cluster/manifests.ts'))};
      import { scan } from ${JSON.stringify(import.meta.resolve('../../src/cluster/scan.ts'))};
      const { images } = await scan(await readManifests(['-']));
      console.log(images.map(({ image }) => image).join());
    `;

    const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', program], {
      input: deployment('a', 'one'),
    });

    assert.equal(stdout, 'one\n');
  });
});
