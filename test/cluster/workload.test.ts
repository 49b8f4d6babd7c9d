import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isHistory, isSaidByOwner, topOwner } from '../../src/cluster/owners.ts';
import { builtInResource, PODS } from '../../src/cluster/resources.ts';
import { runningDigest, type Workload, workloadOf } from '../../src/cluster/workload.ts';

const DIGEST = `sha256:${'1'.repeat(64)}`;
const IMAGE = { image: 'web:1', place: 'containers', container: 'app' } as const;

function workload(uid: string, controller: string | undefined, more: object = {}): Workload {
  const rest = { kind: 'Any', namespace: 'n', name: uid, labels: {}, images: [IMAGE] };
  return { uid, controller, isIdle: false, ...rest, ...more };
}

function ownersOf(...workloads: readonly Workload[]): ReadonlyMap<string, Workload> {
  return new Map(workloads.map((workload) => [workload.uid, workload]));
}

describe('what is kept of an object', () => {
  it('is little, and the owner is the one that controls it', () => {
    const object = {
      metadata: {
        uid: 'u',
        name: 'web-1',
        namespace: 'n',
        labels: { app: 'web' },
        ownerReferences: [{ uid: 'other' }, { uid: 'maker', controller: true }],
      },
      spec: { containers: [{ name: 'app', image: 'web:1', env: [{ name: 'A' }] }] },
      status: {},
    };

    assert.deepEqual(workloadOf(object, PODS), {
      uid: 'u',
      kind: 'Pod',
      namespace: 'n',
      name: 'web-1',
      labels: { app: 'web' },
      controller: 'maker',
      images: [IMAGE],
      isIdle: false,
    });
  });

  const replicas: readonly [object, object, boolean][] = [
    [{ replicas: 0 }, {}, true],
    [{ replicas: 0 }, { replicas: 0 }, true],
    [{ replicas: 0 }, { replicas: 1 }, false],
    [{ replicas: 1 }, {}, false],
    [{}, {}, false],
  ];
  for (const [spec, status, expected] of replicas)
    it(`says ${expected ? 'idle' : 'in use'} of a ReplicaSet with ${JSON.stringify({ spec, status })}`, () => {
      const resource = builtInResource('apps/v1', 'ReplicaSet');
      assert.ok(resource);

      assert.equal(workloadOf({ metadata: {}, spec, status }, resource).isIdle, expected);
    });
});

describe('the digest that a pod runs', () => {
  it('stands with the container of the same name in the status', () => {
    const statuses = [
      { name: 'proxy', imageID: `proxy@sha256:${'2'.repeat(64)}` },
      { name: 'app', imageID: `web@${DIGEST}` },
    ];

    assert.equal(runningDigest({ status: { containerStatuses: statuses } }, IMAGE), DIGEST);
    assert.equal(runningDigest({ status: { initContainerStatuses: statuses } }, IMAGE), undefined);
    assert.equal(runningDigest({}, IMAGE), undefined);
  });

  it('stands with the container that mounts it for an image volume', () => {
    const image = { image: 'model:1', place: 'volumes', container: 'model' } as const;
    const mounts = [
      { name: 'data', mountPath: '/data' },
      { name: 'model', volumeStatus: { image: { imageRef: `model@${DIGEST}` } } },
    ];

    const status = { initContainerStatuses: [{ name: 'setup', volumeMounts: mounts }] };

    assert.equal(runningDigest({ status }, image), DIGEST);
  });
});

describe('an owner', () => {
  const deployment = workload('deployment', undefined);
  const history = workload('history', 'deployment', { isIdle: true });

  it('speaks for what it made with the same image in the same container', () => {
    const owners = ownersOf(deployment);

    assert.equal(isSaidByOwner(IMAGE, workload('pod', 'deployment'), owners), true);
    assert.equal(
      isSaidByOwner({ ...IMAGE, image: 'web:2' }, workload('pod', 'deployment'), owners),
      false,
    );
    assert.equal(
      isSaidByOwner({ ...IMAGE, container: 'b' }, workload('pod', 'deployment'), owners),
      false,
    );
  });

  it('speaks for nobody where it was not read', () => {
    assert.equal(isSaidByOwner(IMAGE, workload('pod', 'unknown'), ownersOf(deployment)), false);
    assert.equal(isSaidByOwner(IMAGE, workload('pod', undefined), ownersOf(deployment)), false);
  });

  it('that is only history speaks for its pods where its own owner speaks for it', () => {
    const changed = workload('deployment', undefined, { images: [{ ...IMAGE, image: 'web:2' }] });

    assert.equal(
      isSaidByOwner(IMAGE, workload('pod', 'history'), ownersOf(deployment, history)),
      true,
    );
    assert.equal(
      isSaidByOwner(IMAGE, workload('pod', 'history'), ownersOf(changed, history)),
      false,
    );
  });

  it('makes history only of what it made itself', () => {
    assert.equal(isHistory(history, ownersOf(deployment, history)), true);
    assert.equal(isHistory(history, ownersOf(history)), false);
    assert.equal(isHistory(deployment, ownersOf(deployment)), false);
  });

  it('is found through the whole chain', () => {
    const pod = workload('pod', 'history');

    assert.equal(topOwner(pod, ownersOf(deployment, history)), deployment);
    assert.equal(topOwner(pod, ownersOf()), pod);
  });

  it('may own itself in a circle without harm', () => {
    const first = workload('first', 'second', { isIdle: true });
    const second = workload('second', 'first', { isIdle: true });
    const owners = ownersOf(first, second);

    assert.equal(isSaidByOwner(IMAGE, first, owners), false);
    assert.ok(owners.has(topOwner(first, owners).uid));
  });
});
