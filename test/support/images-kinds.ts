import type { Platform } from '../../src/oci/descriptor.ts';
import { OCI_MANIFEST } from '../../src/oci/media-types.ts';
import {
  AMD64,
  ARM64,
  type ImageOptions,
  type IndexEntry,
  pushImage,
  pushIndex,
} from './images.ts';
import { blob, LAYER_FOREIGN, LAYER_ZSTD, makeLayer } from './images-layer.ts';
import { type Place, type PushedImage, pushBlob, pushManifest } from './images-push.ts';
import type { Target } from './registry-client.ts';

/** Pushes one kind of image to a place. */
export type PushKind = (target: Target, place: Place) => Promise<PushedImage>;

/** An OCI index for amd64 and arm64, with an attestation of the first as buildx makes it. */
export const pushMultiPlatform: PushKind = async (target, place) => {
  const amd64 = await pushChild(target, place, AMD64);
  const arm64 = await pushChild(target, place, ARM64);
  const attestation = await pushAttestation(target, place.repository, amd64);
  const entries: readonly IndexEntry[] = [
    { image: amd64, platform: AMD64 },
    { image: arm64, platform: ARM64 },
    {
      image: attestation,
      platform: { os: 'unknown', architecture: 'unknown' },
      annotations: {
        'vnd.docker.reference.digest': amd64.digest,
        'vnd.docker.reference.type': 'attestation-manifest',
      },
    },
  ];
  return pushIndex(target, { ...place, entries });
};

/** A docker manifest list for amd64 and arm64, with schema 2 children. */
export const pushDockerList: PushKind = async (target, place) => {
  const amd64 = await pushChild(target, place, AMD64, true);
  const arm64 = await pushChild(target, place, ARM64, true);
  const entries = [
    { image: amd64, platform: AMD64 },
    { image: arm64, platform: ARM64 },
  ];
  return pushIndex(target, { ...place, entries, docker: true });
};

/** An index whose first child is an index, and whose second is an image. */
export const pushNestedIndex: PushKind = async (target, place) => {
  const image = await pushChild(target, place, AMD64);
  const inner = await pushIndex(target, {
    repository: place.repository,
    entries: [{ image: await pushChild(target, place, ARM64), platform: ARM64 }],
  });
  const entries = [{ image: inner }, { image, platform: AMD64 }];
  return pushIndex(target, { ...place, entries });
};

/** An artifact: types that nobody knows, and the empty config of the specification. */
export const pushArtifact: PushKind = async (target, place) => {
  const config = blob('{}');
  const content = blob(`an artifact of ${place.repository}`);
  for (const each of [config, content]) await pushBlob(target, place.repository, each);
  const manifest = {
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    artifactType: 'application/vnd.example.thing',
    config: { mediaType: EMPTY, digest: config.digest, size: config.size },
    layers: [
      {
        mediaType: 'application/vnd.example.thing.content.v3',
        digest: content.digest,
        size: content.size,
      },
    ],
  };
  const blobs = [config, content].map(({ digest, size }) => ({ digest, size }));
  return pushManifest(target, place, OCI_MANIFEST, manifest, { blobs, manifests: [] });
};

/** A manifest of a type that nobody has heard of. Distribution refuses it; the in-process registry does not. */
export const pushUnknownType: PushKind = async (target, place) => {
  const content = blob(`a strange thing of ${place.repository}`);
  await pushBlob(target, place.repository, content);
  const mediaType = 'application/vnd.example.manifest.v9+json';
  const layer = { mediaType: 'text/plain', digest: content.digest, size: content.size };
  const manifest = { schemaVersion: 2, mediaType, layers: [layer] };
  const blobs = [{ digest: content.digest, size: content.size }];
  return pushManifest(target, place, mediaType, manifest, { blobs, manifests: [] });
};

/** Something that names `subject` as what it is about, such as a signature. */
export async function pushReferrer(
  target: Target,
  place: Place,
  subject: PushedImage,
): Promise<PushedImage> {
  const { mediaType, digest, size } = subject;
  return pushImage(target, {
    ...place,
    layers: 1,
    seed: `about ${digest}`,
    fields: {
      artifactType: 'application/vnd.example.signature',
      subject: { mediaType, digest, size },
    },
  });
}

/** Every kind of image that distribution takes. */
export const KINDS: Readonly<Record<string, PushKind>> = {
  'an image': (target, place) => pushImage(target, place),
  'a docker image': (target, place) => pushImage(target, { ...place, docker: true }),
  'an index with an attestation': pushMultiPlatform,
  'a docker manifest list': pushDockerList,
  'a nested index': pushNestedIndex,
  'an artifact with an empty config': pushArtifact,
  'an image without layers': (target, place) => pushImage(target, { ...place, layers: 0 }),
  'an image with empty layers': withLayers(() => [makeLayer('empty', 0), emptyBlob()]),
  'an image that lists a blob twice': withLayers(({ repository }) => {
    const layer = makeLayer(`${repository} twice`);
    return [layer, layer];
  }),
  'an image with a zstd layer': withLayers(({ repository }) => [
    makeLayer(`${repository} zstd`, 1000, LAYER_ZSTD),
  ]),
  'an image with a foreign layer': withLayers(({ repository }) => [
    makeLayer(`${repository} own`),
    {
      ...makeLayer(`${repository} foreign`, 1000, LAYER_FOREIGN),
      urls: ['https://layers.example/windows.tar.gz'],
    },
  ]),
};

/** Many tags in one repository, all of images that share one layer; gives them in the order of their names. */
export async function pushTags(
  target: Target,
  repository: string,
  count: number,
): Promise<readonly PushedImage[]> {
  const layers = [makeLayer(`${repository} shared`)];
  const images: PushedImage[] = [];
  for (let number = 0; number < count; number += 1) {
    const tag = `v${`${number}`.padStart(4, '0')}`;
    images.push(await pushImage(target, { repository, tag, layers }));
  }
  return images;
}

function withLayers(layersOf: (place: Place) => ImageOptions['layers'] & object): PushKind {
  return (target, place) => pushImage(target, { ...place, layers: layersOf(place) });
}

/** A layer of no bytes at all, which no tool makes and some registries hold. */
function emptyBlob() {
  const empty = blob('');
  return { ...empty, mediaType: 'application/vnd.oci.image.layer.v1.tar', diffId: empty.digest };
}

function pushChild(
  target: Target,
  { repository, tag }: Place,
  platform: Platform,
  docker = false,
): Promise<PushedImage> {
  const seed = `${repository}:${tag ?? ''} ${platform.architecture}`;
  return pushImage(target, { repository, seed, platform, docker });
}

async function pushAttestation(
  target: Target,
  repository: string,
  subject: PushedImage,
): Promise<PushedImage> {
  const statement = blob(
    JSON.stringify({
      _type: 'https://in-toto.io/Statement/v0.1',
      predicateType: 'https://slsa.dev/provenance/v0.2',
      subject: [{ name: repository, digest: { sha256: subject.digest.slice('sha256:'.length) } }],
    }),
  );
  const layer = {
    ...statement,
    mediaType: 'application/vnd.in-toto+json',
    diffId: statement.digest,
  };
  const platform = { os: 'unknown', architecture: 'unknown' };
  return pushImage(target, { repository, layers: [layer], platform });
}

const EMPTY = 'application/vnd.oci.empty.v1+json';
