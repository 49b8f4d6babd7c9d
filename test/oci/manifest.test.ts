import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { digestOf } from '../../src/oci/digest.ts';
import { linksOf, type Manifest, mediaTypeOf } from '../../src/oci/manifest.ts';
import {
  DOCKER_LIST,
  DOCKER_MANIFEST,
  DOCKER_SCHEMA_1,
  DOCKER_SCHEMA_1_SIGNED,
  OCI_ARTIFACT,
  OCI_INDEX,
  OCI_MANIFEST,
} from '../../src/oci/media-types.ts';

const A = digestOf(Buffer.from('a'));
const B = digestOf(Buffer.from('b'));
const C = digestOf(Buffer.from('c'), 'sha512');

function manifest(body: unknown, mediaType = OCI_MANIFEST): Manifest {
  const bytes = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
  return { bytes, descriptor: { mediaType, digest: digestOf(bytes), size: bytes.length } };
}

const part = (digest: string, more: object = {}) => ({
  ...{ mediaType: 'application/x', digest, size: 1 },
  ...more,
});

/** The digests of the links, manifests first. */
function links(body: unknown, mediaType?: string) {
  const { manifests, blobs } = linksOf(manifest(body, mediaType));
  return [manifests.map(({ digest }) => digest), blobs.map(({ digest }) => digest)];
}

describe('A manifest points at', () => {
  test('its config and its layers, in this order', () => {
    const body = { config: part(A), layers: [part(C), part(B)] };

    assert.deepEqual(links(body), [[], [A, C, B]]);
    assert.deepEqual(links(body, DOCKER_MANIFEST), [[], [A, C, B]]);
  });

  test('its children, where it is an index', () => {
    assert.deepEqual(links({ manifests: [part(A), part(B)] }, OCI_INDEX), [[A, B], []]);
    assert.deepEqual(links({ manifests: [part(A)] }, DOCKER_LIST), [[A], []]);
  });

  test('the blobs of an artifact', () => {
    assert.deepEqual(links({ artifactType: 'x/y', blobs: [part(A)] }, OCI_ARTIFACT), [[], [A]]);
  });

  test('all that by its shape, whatever its type is', () => {
    const body = { config: part(A), layers: [part(B)], manifests: [part(C)] };

    assert.deepEqual(links(body, 'application/vnd.example.v9+json'), [[C], [A, B]]);
  });

  test('each digest once', () => {
    const body = { config: part(A), layers: [part(B), part(A), part(B)] };

    assert.deepEqual(links(body), [[], [A, B]]);
  });

  test('nothing, where lists are missing, empty or null', () => {
    for (const body of [{}, { layers: [], manifests: null }, { config: null, layers: null }])
      assert.deepEqual(links(body), [[], []]);
  });

  test('not at its subject, which is somebody else', () => {
    assert.deepEqual(links({ config: part(A), subject: part(B) }), [[], [A]]);
  });

  test('descriptors with type, size, platform and addresses, and nothing more', () => {
    const platform = { os: 'linux', architecture: 'arm64', variant: 'v8', 'os.version': '10' };
    const body = {
      layers: [
        part(A, { size: 7, urls: ['https://x.example', 5], annotations: { a: 'b' } }),
        { digest: B, size: 0, urls: [], platform: { os: 'linux' } },
      ],
      manifests: [part(C, { platform })],
    };

    const { manifests, blobs } = linksOf(manifest(body));

    assert.deepEqual(blobs, [
      { mediaType: 'application/x', digest: A, size: 7, urls: ['https://x.example'] },
      { mediaType: 'application/octet-stream', digest: B, size: 0 },
    ]);
    assert.deepEqual(manifests, [
      {
        ...{ mediaType: 'application/x', digest: C, size: 1 },
        platform: { os: 'linux', architecture: 'arm64', variant: 'v8' },
      },
    ]);
  });

  test('nothing by way of a prototype', () => {
    const hidden = `{"__proto__": {"layers": [${JSON.stringify(part(A))}]}, "constructor": 1}`;
    const broken = `{"layers": [{"__proto__": {"digest": "${A}", "size": 1}}]}`;

    assert.deepEqual(links(hidden), [[], []]);
    assert.throws(() => links(broken), { name: 'InvalidManifestError' });
  });
});

describe('A manifest is refused', () => {
  const cases: readonly (readonly [string, unknown, RegExp])[] = [
    ['that is not JSON', '{"layers": [', /the manifest is not JSON/],
    ['that is empty', '', /the manifest is not JSON/],
    ['that is a list', [], /the manifest is not a JSON object/],
    ['that is null', 'null', /the manifest is not a JSON object/],
    ['whose layers are no list', { layers: {} }, /"layers" of the manifest is no list/],
    ['whose children are no list', { manifests: 'x' }, /"manifests" of the manifest is no list/],
    ['with a layer that is no object', { layers: ['x'] }, /a descriptor that is no object/],
    ['with a layer that is null', { layers: [null] }, /a descriptor that is no object/],
    ['with a config that is a list', { config: [] }, /a descriptor that is no object/],
    ['without a digest', { layers: [{ size: 1 }] }, /a descriptor with the digest undefined/],
    ['with a digest of another kind', { layers: [part('md5:00')] }, /with the digest "md5:00"/],
    ['with a digest that climbs', { layers: [part('../../x')] }, /with the digest "\.\.\/\.\.\/x"/],
    ['without a size', { layers: [{ digest: A }] }, /the size undefined/],
    ['with a negative size', { layers: [part(A, { size: -1 })] }, /the size -1/],
    ['with half a byte', { layers: [part(A, { size: 1.5 })] }, /the size 1\.5/],
    ['with a size in quotes', { layers: [part(A, { size: '1' })] }, /the size "1"/],
    ['with a size beyond counting', { layers: [part(A, { size: 1e300 })] }, /the size 1e\+300/],
  ];
  for (const [title, body, reason] of cases)
    test(title, () => {
      assert.throws(() => linksOf(manifest(body)), {
        name: 'InvalidManifestError',
        code: 'MANIFEST_INVALID',
        message: reason,
      });
    });

  test('that is not UTF-8', () => {
    const bytes = Buffer.concat([Buffer.from('{"a": "'), Buffer.from([0xff]), Buffer.from('"}')]);
    const { descriptor } = manifest('');

    assert.throws(() => linksOf({ descriptor, bytes }), /the manifest is not JSON/);
  });

  test("that is of docker's schema 1, with what to do about it", () => {
    const body = { schemaVersion: 1, fsLayers: [{ blobSum: A }] };

    for (const mediaType of [DOCKER_SCHEMA_1, DOCKER_SCHEMA_1_SIGNED, 'application/json'])
      assert.throws(() => linksOf(manifest(body, mediaType)), {
        message: /docker schema 1 manifest.*pull it and push it again with a current docker/,
      });
    assert.throws(() => linksOf(manifest({}, DOCKER_SCHEMA_1)), /schema 1/);
  });
});

describe('The media type of a manifest', () => {
  const type = (body: unknown, contentType?: string) =>
    mediaTypeOf(manifest(body).bytes, contentType);

  test('is what its body says, whatever the server says', () => {
    assert.equal(type({ mediaType: OCI_INDEX }, 'application/json'), OCI_INDEX);
    assert.equal(type({ mediaType: OCI_INDEX }, OCI_MANIFEST), OCI_INDEX);
  });

  test('else what the server says, without parameters', () => {
    assert.equal(type({ layers: [] }, `${DOCKER_MANIFEST}; charset=utf-8`), DOCKER_MANIFEST);
    assert.equal(type({ mediaType: '' }, ` ${OCI_INDEX.toUpperCase()} `), OCI_INDEX);
  });

  test('else what its shape says, where the server says nothing that means anything', () => {
    for (const served of ['application/json', 'text/plain; charset=utf-8', '', undefined]) {
      assert.equal(type({ manifests: [] }, served), OCI_INDEX);
      assert.equal(type({ config: {}, layers: [] }, served), OCI_MANIFEST);
      assert.equal(type({ fsLayers: [] }, served), DOCKER_SCHEMA_1_SIGNED);
    }
    assert.equal(type({}, 'text/plain'), 'text/plain');
    assert.equal(type({}), 'application/octet-stream');
    assert.equal(type({ mediaType: 5, layers: [] }), OCI_MANIFEST);
  });

  test('is not to be had from what is not JSON', () => {
    assert.throws(() => type('<html>', 'text/html'), { name: 'InvalidManifestError' });
  });
});
