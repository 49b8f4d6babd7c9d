import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { imagesOf } from '../../src/cluster/images.ts';
import { builtInResource, customResource, WORKLOADS } from '../../src/cluster/resources.ts';

const POD_SPEC = {
  containers: [{ name: 'app', image: 'app:1', imagePullPolicy: 'Always' }],
  initContainers: [{ name: 'setup', image: 'setup:1' }],
  ephemeralContainers: [{ name: 'debug', image: 'debug:1' }],
  imagePullSecrets: [{ name: 'secret' }],
  volumes: [
    { name: 'model', image: { reference: 'model:1', pullPolicy: 'Always' } },
    { name: 'disk', rbd: { image: 'ceph-disk', monitors: [] } },
  ],
};

const EXPECTED = [
  { image: 'app:1', place: 'containers', container: 'app' },
  { image: 'setup:1', place: 'initContainers', container: 'setup' },
  { image: 'debug:1', place: 'ephemeralContainers', container: 'debug' },
  { image: 'model:1', place: 'volumes', container: 'model' },
];

/** An object that holds `value` at the end of a path. */
function holding(path: readonly string[], value: unknown): unknown {
  return path.reduceRight((inner, key) => ({ [key]: inner }), value);
}

describe('the images of a built-in workload', () => {
  for (const resource of WORKLOADS)
    it(`are found in a ${resource.kind}, in every place`, () => {
      const object = holding(resource.podSpec ?? [], POD_SPEC);

      assert.deepEqual(imagesOf(object, resource), EXPECTED);
    });

  const versions: readonly [string, string, string][] = [
    ['extensions/v1beta1', 'Deployment', 'spec.template.spec'],
    ['apps/v1beta2', 'StatefulSet', 'spec.template.spec'],
    ['batch/v1beta1', 'CronJob', 'spec.jobTemplate.spec.template.spec'],
    ['batch/v2alpha1', 'CronJob', 'spec.jobTemplate.spec.template.spec'],
    ['v1', 'PodTemplate', 'template.spec'],
  ];
  for (const [apiVersion, kind, path] of versions)
    it(`stand in ${path} of ${apiVersion} ${kind}`, () => {
      assert.equal(builtInResource(apiVersion, kind)?.podSpec?.join('.'), path);
    });

  it('are not taken from a kind of the same name in another group', () => {
    assert.equal(builtInResource('batch.volcano.sh/v1alpha1', 'Job'), undefined);
    assert.equal(builtInResource('v1', 'Deployment'), undefined);
  });

  it('are not there where a container has none, or an empty one for an injector to fill', () => {
    const object = { spec: { containers: [{ name: 'a' }, { name: 'b', image: '' }, null, 7] } };

    assert.deepEqual(imagesOf(object, { podSpec: ['spec'] }), []);
  });

  it('are none for whatever else an object may be', () => {
    fc.assert(
      fc.property(fc.anything(), (object) => {
        assert.deepEqual(imagesOf(object, { podSpec: ['spec', 'template', 'spec'] }), []);
      }),
    );
  });
});

describe('the images of a kind that nobody knows', () => {
  const resource = customResource('example.com/v1', 'Fleet');

  it('are found wherever something looks like the spec of a pod', () => {
    const object = {
      spec: {
        tasks: [{ template: { spec: POD_SPEC } }, { podSpec: { containers: [{ image: 'b' }] } }],
      },
    };

    assert.deepEqual(imagesOf(object, resource), [
      ...EXPECTED,
      { image: 'b', place: 'containers', container: '' },
    ]);
  });

  it('are not taken from metadata or status', () => {
    const object = { metadata: { annotations: POD_SPEC }, status: POD_SPEC, spec: {} };

    assert.deepEqual(imagesOf(object, resource), []);
  });

  it('are not taken from a schema that describes containers', () => {
    const schema = { properties: { containers: { items: { properties: { image: {} } } } } };

    assert.deepEqual(imagesOf({ spec: { schema } }, resource), []);
  });

  it('are searched only as deep as anyone nests', () => {
    const path = Array.from({ length: 10_000 }, () => 'spec');

    assert.deepEqual(imagesOf(holding(path, POD_SPEC), resource), []);
  });

  it('are found again in any tree that they are put into', () => {
    const image = fc.stringMatching(/^[a-z]{1,8}(:[0-9])?$/);
    fc.assert(
      fc.property(fc.array(image, { minLength: 1 }), fc.array(fc.string()), (images, path) => {
        const keys = path.map((key) => `x${key}`);
        const containers = images.map((image) => ({ image }));

        const found = imagesOf(holding(['spec', ...keys.slice(0, 20)], { containers }), resource);

        assert.deepEqual(
          found.map(({ image }) => image),
          images,
        );
      }),
    );
  });
});
