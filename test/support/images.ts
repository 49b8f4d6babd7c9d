import type { Descriptor, Platform } from '../../src/oci/descriptor.ts';
import {
  DOCKER_LIST,
  DOCKER_MANIFEST,
  OCI_INDEX,
  OCI_MANIFEST,
} from '../../src/oci/media-types.ts';
import { blob, LAYER_DOCKER, type Layer, makeLayer } from './images-layer.ts';
import { descriptorOf, type PushedImage, pushBlob, pushManifest } from './images-push.ts';
import type { Target } from './registry-client.ts';

export interface ImageOptions {
  readonly repository: string;
  /** undefined: push by digest */
  readonly tag?: string | undefined;
  /** how many layers of its own the image has, or the layers themselves; default 2 */
  readonly layers?: number | readonly Layer[];
  /** images with the same seed have the same layers; default: repository and tag */
  readonly seed?: string;
  /** bytes in each layer; default 1000 */
  readonly layerSize?: number;
  /** docker's schema 2 instead of OCI */
  readonly docker?: boolean;
  /** default linux/amd64 */
  readonly platform?: Platform;
  /** more fields of the manifest: subject, artifactType, annotations */
  readonly fields?: object;
}

/** Makes an image and pushes it, blobs first. */
export async function pushImage(target: Target, options: ImageOptions): Promise<PushedImage> {
  const { repository, tag, docker = false, platform = AMD64, fields } = options;
  const layers = layersOf(options);
  const config = blob(configOf(`${repository}:${tag ?? ''}`, platform, layers));
  const pushed = [config, ...layers.filter(({ urls }) => urls === undefined)];
  for (const each of pushed) await pushBlob(target, repository, each);
  const mediaType = docker ? DOCKER_MANIFEST : OCI_MANIFEST;
  const manifest = {
    schemaVersion: 2,
    mediaType,
    config: {
      mediaType: docker ? CONFIG_DOCKER : CONFIG_OCI,
      digest: config.digest,
      size: config.size,
    },
    layers: layers.map(({ mediaType: type, digest, size, urls }) => ({
      ...{ mediaType: docker && !urls ? LAYER_DOCKER : type, digest, size },
      ...(urls ? { urls } : {}),
    })),
    ...fields,
  };
  const blobs = pushed.map(({ digest, size }) => ({ digest, size }));
  return pushManifest(target, { repository, tag }, mediaType, manifest, { blobs, manifests: [] });
}

/** One child of an index, with what the index says of it. */
export interface IndexEntry {
  readonly image: PushedImage;
  readonly platform?: Platform;
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface IndexOptions {
  readonly repository: string;
  readonly tag?: string | undefined;
  readonly entries: readonly IndexEntry[];
  /** docker's manifest list instead of an OCI index */
  readonly docker?: boolean;
  readonly fields?: object;
}

/** Pushes an index over children that are in its repository already. */
export function pushIndex(target: Target, options: IndexOptions): Promise<PushedImage> {
  const { repository, tag, entries, docker = false, fields } = options;
  const mediaType = docker ? DOCKER_LIST : OCI_INDEX;
  const manifests = entries.map(({ image, platform, annotations }): Descriptor & object => ({
    ...descriptorOf(image),
    ...(annotations ? { annotations } : {}),
    ...(platform ? { platform } : {}),
  }));
  const index = { schemaVersion: 2, mediaType, manifests, ...fields };
  return pushManifest(target, { repository, tag }, mediaType, index, {
    blobs: entries.flatMap(({ image }) => image.blobs),
    manifests: entries.flatMap(({ image }) => image.manifests),
  });
}

function layersOf(options: ImageOptions): readonly Layer[] {
  const { repository, tag, layers = 2, layerSize } = options;
  if (typeof layers !== 'number') return layers;
  const seed = options.seed ?? `${repository}:${tag ?? ''}`;
  return Array.from({ length: layers }, (_, number) => makeLayer(`${seed}#${number}`, layerSize));
}

function configOf(label: string, platform: Platform, layers: readonly Layer[]): string {
  return JSON.stringify({
    ...platform,
    created: '2024-01-01T00:00:00Z',
    config: { Env: ['PATH=/usr/bin'], Labels: { image: label } },
    rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
    history: layers.map((_, number) => ({
      created: '2024-01-01T00:00:00Z',
      created_by: `layer ${number}`,
    })),
  });
}

export const AMD64: Platform = { os: 'linux', architecture: 'amd64' };
export const ARM64: Platform = { os: 'linux', architecture: 'arm64', variant: 'v8' };

const CONFIG_OCI = 'application/vnd.oci.image.config.v1+json';
const CONFIG_DOCKER = 'application/vnd.docker.container.image.v1+json';
