import assert from 'node:assert/strict';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { after, before, describe, it } from 'node:test';
import type { Cluster } from '../../src/cluster/cluster.ts';
import { connect } from '../../src/cluster/connect.ts';
import type { Inventory } from '../../src/cluster/inventory.ts';
import { type ScanOptions, scan } from '../../src/cluster/scan.ts';
import {
  type ControlPlane,
  findControlPlane,
  startControlPlane,
} from '../support/control-plane.ts';
import { skipUnless } from '../support/requirement.ts';

const { binaries, requirement } = await findControlPlane();

const FIRST = `sha256:${'1'.repeat(64)}`;
const SECOND = `sha256:${'2'.repeat(64)}`;

function podSpec(image: string, more: object = {}): object {
  return { containers: [{ name: 'app', image }], ...more };
}

function template(image: string, more: object = {}): object {
  return { metadata: { labels: { app: 'x' } }, spec: podSpec(image, more) };
}

const SELECTOR = { matchLabels: { app: 'x' } };

function object(apiVersion: string, kind: string, name: string, spec: object, more: object = {}) {
  return { apiVersion, kind, metadata: { name, namespace: 'shop', ...more }, spec };
}

/** One line for each use: `image <- kind namespace/name container`. */
function lines({ images }: Inventory): readonly string[] {
  return images.flatMap(({ image, usedBy }) =>
    usedBy.map((use) => `${image} <- ${use.kind} ${use.namespace}/${use.name} ${use.container}`),
  );
}

describe('a scan of a real API server', { skip: skipUnless(requirement) }, () => {
  let plane: ControlPlane;
  let cluster: Cluster;

  const apply = (...objects: readonly object[]) =>
    plane.kubectl(
      ['create', '-f', '-'],
      JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }),
    );
  const namespace = (name: string) =>
    apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  const uidOf = (kind: string, name: string, within: string) =>
    plane.kubectl(['get', kind, name, '-n', within, '-o', 'jsonpath={.metadata.uid}']);
  const ownedBy = async (apiVersion: string, kind: string, name: string, within: string) => {
    const uid = await uidOf(kind, name, within);
    return { ownerReferences: [{ apiVersion, kind, name, uid, controller: true }] };
  };
  const setStatus = (pod: string, within: string, status: object) =>
    plane.kubectl([
      'patch',
      'pod',
      pod,
      '-n',
      within,
      '--subresource=status',
      '--type=merge',
      '-p',
      JSON.stringify({ status }),
    ]);
  const scanIn = (name: string, options: ScanOptions = {}) =>
    scan(cluster, { namespaces: [name], ...options });

  before(async () => {
    assert.ok(binaries);
    plane = await startControlPlane(binaries);
    cluster = await connect({ kubeconfig: plane.kubeconfig, environment: {} });
  });
  after(async () => {
    await cluster?.close();
    await plane?.end();
  });

  it('finds images in workloads of every kind, also where nothing runs', async () => {
    await namespace('shop');
    await apply(
      object('apps/v1', 'Deployment', 'web', {
        replicas: 0,
        selector: SELECTOR,
        template: template('deployment:1', {
          initContainers: [{ name: 'setup', image: 'init:1' }],
        }),
      }),
      object('apps/v1', 'StatefulSet', 'database', {
        selector: SELECTOR,
        template: template('statefulset:1'),
      }),
      object('apps/v1', 'DaemonSet', 'agent', {
        selector: SELECTOR,
        template: template('daemonset:1'),
      }),
      object('apps/v1', 'ReplicaSet', 'set', {
        selector: SELECTOR,
        template: template('replicaset:1'),
      }),
      object('v1', 'ReplicationController', 'old', {
        replicas: 0,
        template: template('controller:1'),
      }),
      object('batch/v1', 'Job', 'import', {
        suspend: true,
        template: template('job:1', { restartPolicy: 'Never' }),
      }),
      object('batch/v1', 'CronJob', 'nightly', {
        schedule: '0 0 * * *',
        suspend: true,
        jobTemplate: { spec: { template: template('cronjob:1', { restartPolicy: 'Never' }) } },
      }),
      {
        apiVersion: 'v1',
        kind: 'PodTemplate',
        metadata: { name: 'template', namespace: 'shop' },
        template: template('podtemplate:1'),
      },
      object(
        'v1',
        'Pod',
        'single',
        podSpec('pod:1', {
          volumes: [
            { name: 'model', image: { reference: 'volume:1' } },
            { name: 'disk', rbd: { image: 'ceph-disk', monitors: ['m'] } },
          ],
        }),
      ),
    );
    const pod = JSON.parse(
      await plane.kubectl(['get', 'pod', 'single', '-n', 'shop', '-o', 'json']),
    );
    pod.spec.ephemeralContainers = [{ name: 'debug', image: 'debug:1' }];
    await plane.kubectl(
      ['replace', '--raw', '/api/v1/namespaces/shop/pods/single/ephemeralcontainers', '-f', '-'],
      JSON.stringify(pod),
    );

    const inventory = await scanIn('shop');

    assert.deepEqual(lines(inventory), [
      'controller:1 <- ReplicationController shop/old app',
      'cronjob:1 <- CronJob shop/nightly app',
      'daemonset:1 <- DaemonSet shop/agent app',
      'debug:1 <- Pod shop/single debug',
      'deployment:1 <- Deployment shop/web app',
      'init:1 <- Deployment shop/web setup',
      'job:1 <- Job shop/import app',
      'pod:1 <- Pod shop/single app',
      'podtemplate:1 <- PodTemplate shop/template app',
      'replicaset:1 <- ReplicaSet shop/set app',
      'statefulset:1 <- StatefulSet shop/database app',
      'volume:1 <- Pod shop/single model',
    ]);
    assert.deepEqual(inventory.unreadable, []);
  });

  it('reports what a Deployment and a CronJob made under them alone, unless it differs', async () => {
    await namespace('owners');
    const within = { namespace: 'owners' };
    await apply(
      object(
        'apps/v1',
        'Deployment',
        'web',
        { selector: SELECTOR, template: template('web:2') },
        within,
      ),
      object(
        'batch/v1',
        'CronJob',
        'nightly',
        {
          schedule: '0 0 * * *',
          jobTemplate: { spec: { template: template('job:1', { restartPolicy: 'Never' }) } },
        },
        within,
      ),
    );
    const byDeployment = {
      ...within,
      ...(await ownedBy('apps/v1', 'Deployment', 'web', 'owners')),
    };
    const byCronJob = { ...within, ...(await ownedBy('batch/v1', 'CronJob', 'nightly', 'owners')) };
    await apply(
      object(
        'apps/v1',
        'ReplicaSet',
        'web-2',
        { replicas: 1, selector: SELECTOR, template: template('web:2') },
        byDeployment,
      ),
      object(
        'apps/v1',
        'ReplicaSet',
        'web-1',
        { replicas: 1, selector: SELECTOR, template: template('web:1') },
        byDeployment,
      ),
      object(
        'apps/v1',
        'ReplicaSet',
        'web-0',
        { replicas: 0, selector: SELECTOR, template: template('web:0') },
        byDeployment,
      ),
      object(
        'batch/v1',
        'Job',
        'nightly-1',
        { suspend: true, template: template('job:1', { restartPolicy: 'Never' }) },
        byCronJob,
      ),
    );
    const ownerOf = async (kind: string, name: string) => ({
      ...within,
      ...(await ownedBy(kind === 'Job' ? 'batch/v1' : 'apps/v1', kind, name, 'owners')),
    });
    const injected = {
      containers: [
        { name: 'app', image: 'mirror/web:2' },
        { name: 'proxy', image: 'proxy:1' },
      ],
    };
    await apply(
      object('v1', 'Pod', 'web-2-a', podSpec('web:2'), await ownerOf('ReplicaSet', 'web-2')),
      object('v1', 'Pod', 'web-2-b', injected, await ownerOf('ReplicaSet', 'web-2')),
      object('v1', 'Pod', 'web-1-a', podSpec('web:1'), await ownerOf('ReplicaSet', 'web-1')),
      object('v1', 'Pod', 'web-0-a', podSpec('web:0'), await ownerOf('ReplicaSet', 'web-0')),
      object('v1', 'Pod', 'nightly-1-a', podSpec('job:1'), await ownerOf('Job', 'nightly-1')),
    );

    const inventory = await scanIn('owners');

    assert.deepEqual(lines(inventory), [
      'job:1 <- CronJob owners/nightly app',
      'mirror/web:2 <- Pod owners/web-2-b app',
      'proxy:1 <- Pod owners/web-2-b proxy',
      // The last pod of an old revision still runs; nothing else of that revision is listed.
      'web:0 <- Pod owners/web-0-a app',
      'web:1 <- ReplicaSet owners/web-1 app',
      'web:2 <- Deployment owners/web app',
    ]);
  });

  it('selects workloads by their labels, and what they made with them', async () => {
    await namespace('labels');
    const labeled = (tier: string) => ({ namespace: 'labels', labels: { tier } });
    await apply(
      object(
        'apps/v1',
        'Deployment',
        'web',
        { selector: SELECTOR, template: template('web:1') },
        labeled('front'),
      ),
      object(
        'apps/v1',
        'Deployment',
        'api',
        { selector: SELECTOR, template: template('api:1') },
        labeled('back'),
      ),
      object('v1', 'Pod', 'bare-front', podSpec('bare:1'), labeled('front')),
      object('v1', 'Pod', 'bare-back', podSpec('bare:2'), labeled('back')),
    );
    // Its own labels say "front", and its Deployment's say "back".
    await apply(
      object('v1', 'Pod', 'api-a', podSpec('injected:1'), {
        ...labeled('front'),
        ...(await ownedBy('apps/v1', 'Deployment', 'api', 'labels')),
      }),
    );

    const front = await scanIn('labels', { selector: 'tier=front' });
    const back = await scanIn('labels', { selector: 'tier in (back)' });

    assert.deepEqual(lines(front), [
      'bare:1 <- Pod labels/bare-front app',
      'web:1 <- Deployment labels/web app',
    ]);
    assert.deepEqual(lines(back), [
      'api:1 <- Deployment labels/api app',
      'bare:2 <- Pod labels/bare-back app',
      'injected:1 <- Pod labels/api-a app',
    ]);
  });

  it('gives the digest that runs where all pods of a spelling agree', async () => {
    await namespace('digests');
    const pod = (name: string, spec: object) =>
      object('v1', 'Pod', name, spec, { namespace: 'digests' });
    await apply(
      pod(
        'a',
        podSpec('same:1', {
          initContainers: [{ name: 'setup', image: 'setup:1' }],
        }),
      ),
      pod('b', podSpec('same:1')),
      pod('c', podSpec('moved:latest')),
      pod('d', podSpec('moved:latest')),
      pod('e', podSpec('local:1')),
      pod('f', podSpec('pending:1')),
    );
    const running = (imageID: string) => ({
      containerStatuses: [{ name: 'app', image: 'x', imageID, ready: true, restartCount: 0 }],
    });
    await setStatus('a', 'digests', {
      ...running(`docker.io/library/same@${FIRST}`),
      initContainerStatuses: [
        {
          name: 'setup',
          image: 'x',
          imageID: `docker-pullable://setup@${SECOND}`,
          ready: true,
          restartCount: 0,
        },
      ],
    });
    await setStatus('b', 'digests', running(`mirror.example/same@${FIRST}`));
    await setStatus('c', 'digests', running(`moved@${FIRST}`));
    await setStatus('d', 'digests', running(`moved@${SECOND}`));
    await setStatus('e', 'digests', running(FIRST));

    const { images } = await scanIn('digests');

    assert.deepEqual(Object.fromEntries(images.map(({ image, digest }) => [image, digest])), {
      'local:1': undefined,
      'moved:latest': undefined,
      'pending:1': undefined,
      'same:1': FIRST,
      'setup:1': SECOND,
    });
  });

  it('reads long lists page by page, over a few kept-alive connections', async () => {
    await namespace('many');
    const names = Array.from(
      { length: 120 },
      (_, index) => `pod-${String(index).padStart(3, '0')}`,
    );
    await apply(
      ...names.map((name) =>
        object('v1', 'Pod', name, podSpec(`${name}:1`), { namespace: 'many' }),
      ),
    );
    const small = await connect({ kubeconfig: plane.kubeconfig, environment: {}, pageSize: 25 });
    const paths: string[] = [];
    let connections = 0;
    const onRequest = (message: unknown) =>
      paths.push((message as { request: { path: string } }).request.path);
    const onConnect = () => {
      connections += 1;
    };
    subscribe('undici:request:create', onRequest);
    subscribe('undici:client:connected', onConnect);

    const { images } = await scan(small, { namespaces: ['many'] });
    unsubscribe('undici:request:create', onRequest);
    unsubscribe('undici:client:connected', onConnect);
    await small.close();

    assert.deepEqual(
      images.map(({ image }) => image),
      names.map((name) => `${name}:1`),
    );
    const pages = paths.filter((path) => path.startsWith('/api/v1/namespaces/many/pods?'));
    assert.equal(pages.length, 5);
    assert.ok(pages.every((path) => path.includes('limit=25')));
    // One for the namespace, one for each other kind, five pages of pods.
    assert.equal(paths.length, 1 + 8 + 5);
    assert.ok(connections <= 4, `${connections} connections`);
  });

  it('says that a namespace does not exist, and reads the others', async () => {
    const { images, unreadable } = await scan(cluster, { namespaces: ['shop', 'typo'] });

    assert.ok(images.length > 0);
    assert.deepEqual(unreadable, [
      {
        resource: 'namespaces',
        namespace: 'typo',
        reason: 'there is no namespace "typo" in context "admin"',
      },
    ]);
  });

  it('gives the same in all namespaces, twice, in order', async () => {
    const first = await scan(cluster);
    const second = await scan(cluster);

    assert.deepEqual(first, second);
    const spellings = first.images.map(({ image }) => image);
    assert.deepEqual(spellings, spellings.toSorted());
    assert.ok(spellings.includes('web:2') && spellings.includes('cronjob:1'));
  });

  it('goes on for a user who may not see everything, and says what is missing', async () => {
    const grant = (user: string, resources: string, within: string) =>
      plane
        .kubectl(['create', 'role', user, '--verb=list', `--resource=${resources}`, '-n', within])
        .then(() =>
          plane.kubectl([
            'create',
            'rolebinding',
            user,
            `--role=${user}`,
            `--user=${user}`,
            '-n',
            within,
          ]),
        );
    await plane.kubectl([
      'create',
      'clusterrole',
      'see-namespaces',
      '--verb=list,get',
      '--resource=namespaces',
    ]);
    await plane.kubectl([
      'create',
      'clusterrolebinding',
      'see-namespaces',
      '--clusterrole=see-namespaces',
      '--user=partial',
    ]);
    await grant('partial', 'deployments.apps', 'shop');
    await grant('partial', 'deployments.apps,cronjobs.batch', 'owners');
    const partial = await connect({ kubeconfig: plane.kubeconfig, environment: {}, as: 'partial' });

    const everywhere = await scan(partial);
    const named = await scan(partial, { namespaces: ['shop'] });
    await partial.close();

    assert.deepEqual(lines(everywhere), [
      'deployment:1 <- Deployment shop/web app',
      'init:1 <- Deployment shop/web setup',
      'job:1 <- CronJob owners/nightly app',
      'web:2 <- Deployment owners/web app',
    ]);
    const pods = everywhere.unreadable.filter(({ resource }) => resource === 'pods');
    assert.equal(pods.length, 1);
    assert.equal(pods[0]?.namespace, undefined);
    assert.match(
      pods[0]?.reason ?? '',
      /User "partial" cannot list resource "pods".* at the cluster scope/,
    );
    const deployments = everywhere.unreadable.filter(
      ({ resource }) => resource === 'deployments.apps',
    );
    assert.ok(deployments.some(({ namespace }) => namespace === 'default'));
    assert.ok(!deployments.some(({ namespace }) => namespace === 'shop'));
    assert.deepEqual(lines(named).length, 2);
    assert.ok(named.unreadable.every(({ namespace }) => namespace === 'shop'));
  });

  it("tries the context's namespace for a user who may not even list namespaces", async () => {
    await plane.kubectl([
      'create',
      'role',
      'guest',
      '--verb=list',
      '--resource=pods',
      '-n',
      'shop',
    ]);
    await plane.kubectl([
      'create',
      'rolebinding',
      'guest',
      '--role=guest',
      '--user=guest',
      '-n',
      'shop',
    ]);
    const kubeconfig = await plane.writeKubeconfig('guest', {
      token: plane.adminToken,
      as: 'guest',
    });
    await plane.kubectl([
      'config',
      'set-context',
      'guest',
      '--namespace=shop',
      `--kubeconfig=${kubeconfig}`,
    ]);
    const guest = await connect({ kubeconfig, environment: {} });

    const inventory = await scan(guest);
    await guest.close();

    assert.ok(lines(inventory).includes('pod:1 <- Pod shop/single app'));
    const reasons = Object.fromEntries(
      inventory.unreadable.map(({ resource, reason }) => [resource, reason]),
    );
    assert.match(reasons['pods'] ?? '', /cannot list.*; only the namespace shop was read$/);
    assert.match(
      reasons['jobs.batch'] ?? '',
      /cannot list resource "jobs".* at the cluster scope$/,
    );
  });

  it('gives an empty inventory to a user who may see nothing', async () => {
    const nobody = await connect({ kubeconfig: plane.kubeconfig, environment: {}, as: 'nobody' });

    const { images, unreadable } = await scan(nobody);
    await nobody.close();

    assert.deepEqual(images, []);
    assert.equal(unreadable.length, 9);
  });

  it('ends when it is told to', async () => {
    const reason = new Error('interrupted');

    await assert.rejects(scan(cluster, { signal: AbortSignal.abort(reason) }), reason);
  });

  it('selects as kubectl does, for selectors of every form', async () => {
    const selectors = [
      'tier=front',
      'tier!=front',
      'tier in (front,back)',
      'tier notin (back)',
      'tier',
      '!tier',
    ];
    for (const selector of selectors) {
      const said = await plane.kubectl([
        'get',
        'pods',
        '-n',
        'labels',
        '-l',
        selector,
        '-o',
        'name',
      ]);
      const expected = said
        .split('\n')
        .filter((name) => name.includes('/bare-'))
        .map((name) => name.slice(4));

      const { images } = await scanIn('labels', { selector });

      const names = images.flatMap(({ usedBy }) => usedBy.map(({ name }) => name));
      assert.deepEqual(
        names.filter((name) => name.startsWith('bare-')).sort(),
        expected.sort(),
        selector,
      );
    }
  });
});
