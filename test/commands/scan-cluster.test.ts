import assert from 'node:assert/strict';
import { symlink } from 'node:fs/promises';
import { createServer } from 'node:net';
import { delimiter, dirname, join } from 'node:path';
import { after, before, describe, type TestContext, test } from 'node:test';
import type { ImageInventory } from '../../src/commands/scan/report.ts';
import { type Desk, openDesk } from '../support/cli.ts';
import {
  type ControlPlane,
  findControlPlane,
  startControlPlane,
} from '../support/control-plane.ts';
import { pushImage } from '../support/images.ts';
import { verifyImage } from '../support/images-verify.ts';
import type { FinishedProcess } from '../support/process.ts';
import { skipUnless } from '../support/requirement.ts';
import { assertForPeople, assertRefused, linesOf, setUp } from './move.ts';

const { binaries, requirement } = await findControlPlane();

/** Runs `kubectl migrate-images` as a user has it, through the real kubectl. */
type Kubectl = (parameters: readonly string[], environment?: object) => Promise<FinishedProcess>;

async function installed(desk: Desk): Promise<Kubectl> {
  assert.ok(binaries);
  const PATH = await desk.installPlugin();
  const [folder = ''] = PATH.split(delimiter);
  await symlink(binaries.kubectl, join(folder, 'kubectl'));
  return (parameters, environment = {}) =>
    desk.run(['migrate-images', ...parameters], {
      program: join(folder, 'kubectl'),
      environment: { PATH, ...environment },
    });
}

function deploymentOf(name: string, namespace: string, image: string): object {
  const labels = { app: name };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace, labels },
    spec: {
      replicas: 0,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: 'main', image }] } },
    },
  };
}

function nightlyOf(namespace: string, image: string): object {
  const spec = { restartPolicy: 'Never', containers: [{ name: 'run', image }] };
  return {
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    metadata: { name: 'nightly', namespace },
    spec: { schedule: '0 0 * * *', suspend: true, jobTemplate: { spec: { template: { spec } } } },
  };
}

function listOf(...items: readonly object[]): string {
  return JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
}

describe('kubectl migrate-images and a real cluster', { skip: skipUnless(requirement) }, () => {
  let plane: ControlPlane;

  before(async () => {
    assert.ok(binaries);
    plane = await startControlPlane(binaries);
    for (const name of ['shop', 'jobs', 'apart'])
      await plane.kubectl(['create', 'namespace', name]);
    const workloads = [
      deploymentOf('web', 'shop', 'quay.io/team/web:v1'),
      nightlyOf('jobs', 'quay.io/team/nightly:v2'),
      deploymentOf('other', 'apart', 'quay.io/team/other:v3'),
    ];
    await plane.kubectl(['apply', '-f', '-'], listOf(...workloads));
    // Somebody who may see all of one namespace, and of the others only deployments.
    const rbac = ['create', 'clusterrole'];
    await plane.kubectl([...rbac, 'deployments', '--verb=list', '--resource=deployments.apps']);
    await plane.kubectl([...rbac, 'namespaces', '--verb=list', '--resource=namespaces']);
    for (const role of ['deployments', 'namespaces'])
      await plane.kubectl([
        'create',
        'clusterrolebinding',
        role,
        `--clusterrole=${role}`,
        '--user=dora',
      ]);
  });
  after(() => plane?.end());

  async function openKubectl(t: TestContext): Promise<Desk & { readonly kubectl: Kubectl }> {
    const desk = await openDesk();
    t.after(() => desk.close());
    return { ...desk, kubectl: await installed(desk) };
  }

  test('A scan through kubectl writes a map, and a copy through kubectl carries it out', async (t) => {
    const { source, destination, desk } = await setUp(t);
    const kubectl = await installed(desk);
    const web = await pushImage(source, { repository: 'team/web', tag: 'v1' });
    const nightly = await pushImage(source, { repository: 'team/nightly', tag: 'v2' });
    await plane.kubectl(['create', 'namespace', 'moving']);
    t.after(() => plane.kubectl(['delete', 'deployments,cronjobs', '--all', '-n', 'moving']));
    const workloads = [
      deploymentOf('web', 'moving', `${source.host}/team/web:v1`),
      nightlyOf('moving', `${source.host}/team/nightly:v2`),
    ];
    await plane.kubectl(['apply', '-f', '-'], listOf(...workloads));

    const environment = { KUBECONFIG: plane.kubeconfig };
    const scan = await kubectl(
      ['scan', '-n', 'moving', '-t', `${destination.host}/test`],
      environment,
    );
    const map = JSON.parse(await desk.read('images.json'));
    const copy = await kubectl(['copy']);

    assert.equal(scan.code, 0, scan.stderr);
    assert.deepEqual(map, {
      [`${source.host}/team/nightly:v2`]: `${destination.host}/test/nightly:v2`,
      [`${source.host}/team/web:v1`]: `${destination.host}/test/web:v1`,
    });
    assert.equal(copy.code, 0, copy.stderr);
    assert.match(
      copy.stdout,
      /^Images\(2\) migration finished, 0 images tasks failed, 0 tasks generate failed$/m,
    );
    assert.deepEqual(await verifyImage(destination, 'test/web', 'v1', web.digest), []);
    assert.deepEqual(await verifyImage(destination, 'test/nightly', 'v2', nightly.digest), []);
  });

  test('All namespaces are looked at, as with -A, and -n and -l choose', async (t) => {
    const { kubectl } = await openKubectl(t);
    const names = async (...parameters: string[]) => {
      const { code, stdout, stderr } = await kubectl([
        'scan',
        '-k',
        plane.kubeconfig,
        '-o',
        'name',
        ...parameters,
      ]);
      assert.deepEqual([code, stderr], [0, '']);
      return linesOf(stdout).filter((line) => line.startsWith('quay.io/'));
    };

    const bare = await names();
    const all = await names('-A');
    const some = await names('-n', 'shop,jobs');
    const labelled = await names('-l', 'app=other');

    assert.deepEqual(bare, [
      'quay.io/team/nightly:v2',
      'quay.io/team/other:v3',
      'quay.io/team/web:v1',
    ]);
    assert.deepEqual(all, bare);
    assert.deepEqual(some, ['quay.io/team/nightly:v2', 'quay.io/team/web:v1']);
    assert.deepEqual(labelled, ['quay.io/team/other:v3']);
  });

  test('The inventory names who uses an image, where nothing runs', async (t) => {
    const { kubectl } = await openKubectl(t);

    const { stdout } = await kubectl(['scan', '-k', plane.kubeconfig, '-n', 'jobs', '-o', 'json']);

    const { images, unreadable } = JSON.parse(stdout) as ImageInventory;
    assert.deepEqual(unreadable, []);
    assert.deepEqual(images, [
      {
        image: 'quay.io/team/nightly:v2',
        reference: 'quay.io/team/nightly:v2',
        usedBy: [{ kind: 'CronJob', namespace: 'jobs', name: 'nightly', container: 'run' }],
      },
    ]);
  });

  test('A context that is not there is one line, with the flag and the file', async (t) => {
    const { kubectl } = await openKubectl(t);

    const finished = await kubectl([
      'scan',
      '-k',
      plane.kubeconfig,
      '--context',
      'nowhere',
      '-o',
      'name',
    ]);

    assertRefused(finished, /^error: .*nowhere/, /./);
  });

  test('A cluster that nobody answers for is one line and exit 2, and no map is written', async (t) => {
    const { kubectl, read } = await openKubectl(t);
    const closed = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => closed.once('listening', resolve));
    const { port } = closed.address() as { readonly port: number };
    await new Promise((resolve) => closed.close(resolve));
    const kubeconfig = await plane.writeKubeconfig(
      'closed',
      { token: 'x' },
      { server: `https://127.0.0.1:${port}` },
    );

    const finished = await kubectl(['scan', '-k', kubeconfig, '-t', 'd.example/m']);

    assertRefused(finished, new RegExp(`^error: .*127\\.0\\.0\\.1:${port}`), /./);
    assert.equal(finished.stdout, '');
    await assert.rejects(read('images.json'), { code: 'ENOENT' });
  });

  test('A login that the cluster does not know is one line and exit 2, without the token', async (t) => {
    const { kubectl } = await openKubectl(t);
    const kubeconfig = await plane.writeKubeconfig('stranger', { token: 'nobody-knows-this' });

    const finished = await kubectl(['scan', '-k', kubeconfig, '-o', 'name']);

    assert.equal(finished.code, 2, finished.stderr);
    assert.ok(linesOf(finished.stderr).length <= 2);
    assert.doesNotMatch(finished.stderr, /nobody-knows-this/);
    assertForPeople(finished);
  });

  test('What may not be read is said, exit 1, and what may be read is there', async (t) => {
    const { kubectl, read } = await openKubectl(t);
    const { certificate, key } = plane.certificateFor('dora');
    const user = {
      'client-certificate-data': Buffer.from(certificate).toString('base64'),
      'client-key-data': Buffer.from(key).toString('base64'),
    };
    const kubeconfig = await plane.writeKubeconfig('dora', user);

    const finished = await kubectl(['scan', '-k', kubeconfig, '-t', 'd.example/m']);

    assert.equal(finished.code, 1);
    assert.deepEqual(JSON.parse(await read('images.json')), {
      'quay.io/team/other:v3': 'd.example/m/other:v3',
      'quay.io/team/web:v1': 'd.example/m/web:v1',
    });
    assert.match(finished.stderr, /^not read: cronjobs\.batch.*forbidden/m);
    assert.doesNotMatch(finished.stderr, /^not read: deployments/m);
    assertForPeople(finished);
  });

  test('--as acts as somebody else', async (t) => {
    const { kubectl } = await openKubectl(t);

    const finished = await kubectl([
      'scan',
      '-k',
      plane.kubeconfig,
      '--as',
      'dora',
      '-n',
      'shop',
      '-o',
      'name',
    ]);

    assert.equal(finished.code, 1);
    assert.deepEqual(linesOf(finished.stdout), ['quay.io/team/web:v1']);
  });

  test('Help and version come through kubectl', async (t) => {
    const { kubectl } = await openKubectl(t);

    const help = await kubectl(['scan', '--help']);
    const version = await kubectl(['--version']);

    assert.match(help.stdout, /\$ kubectl migrate-images scan/);
    assert.match(version.stdout, /^kubectl-migrate-images\//);
    assert.deepEqual([help.code, version.code], [0, 0]);
  });
});

test('Without any kubeconfig a scan says where it looked, and what to name', async (t) => {
  const desk = await openDesk();
  t.after(() => desk.close());

  const finished = await desk.run(['scan', '-o', 'name']);

  assertRefused(
    finished,
    /^error: no cluster is configured in .*\.kube\/config$/,
    /KUBECONFIG.*--kubeconfig/,
  );
  assert.ok(finished.stderr.includes(dirname(desk.folder)));
});
