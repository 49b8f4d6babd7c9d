import type { Descriptor, Platform } from '../../src/oci/descriptor.ts';
import { digestOf } from '../../src/oci/digest.ts';
import {
  DOCKER_LIST,
  DOCKER_MANIFEST,
  OCI_INDEX,
  OCI_MANIFEST,
} from '../../src/oci/media-types.ts';
import { type Blob, blobOf, type Layer } from './layer.ts';

/** A manifest and all that has to be in its repository before it. */
export interface Tree {
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
  readonly children: readonly Tree[];
  readonly blobs: readonly Blob[];
}

export interface ManifestOptions {
  readonly mediaType?: string;
  readonly config: Blob;
  readonly configType: string;
  readonly layers: readonly { readonly blob: Blob; readonly mediaType: string }[];
  /** further fields of the manifest */
  readonly fields?: object;
}

export interface ImageOptions {
  /** makes the config, and with it the digest, this image's own */
  readonly label: string;
  readonly layers: readonly Layer[];
  readonly docker?: boolean;
  readonly platform?: Platform;
  readonly fields?: object;
}

export interface IndexEntry {
  readonly tree: Tree;
  readonly platform?: Platform;
  readonly annotations?: Readonly<Record<string, string>>;
}

export const AMD64: Platform = { os: 'linux', architecture: 'amd64' };
export const ARM64: Platform = { os: 'linux', architecture: 'arm64', variant: 'v8' };
export const CONFIG_OCI = 'application/vnd.oci.image.config.v1+json';
const CONFIG_DOCKER = 'application/vnd.docker.container.image.v1+json';
export const LAYER_OCI = 'application/vnd.oci.image.layer.v1.tar+gzip';
export const LAYER_DOCKER = 'application/vnd.docker.image.rootfs.diff.tar.gzip';
const CREATED = '2024-01-01T00:00:00Z';

export function makeImage(options: ImageOptions): Tree {
  const { label, layers, docker = false, platform = AMD64, fields = {} } = options;
  const config = blobOf(
    JSON.stringify({
      ...platform,
      created: CREATED,
      config: { Env: ['PATH=/usr/bin'], Labels: { image: label } },
      rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
      history: layers.map((_, number) => ({ created: CREATED, created_by: `layer ${number}` })),
    }),
  );
  return makeManifest({
    mediaType: docker ? DOCKER_MANIFEST : OCI_MANIFEST,
    config,
    configType: docker ? CONFIG_DOCKER : CONFIG_OCI,
    layers: layers.map((blob) => ({ blob, mediaType: docker ? LAYER_DOCKER : LAYER_OCI })),
    fields,
  });
}

export function makeManifest(options: ManifestOptions): Tree {
  const { mediaType = OCI_MANIFEST, config, configType, layers, fields } = options;
  const manifest = {
    schemaVersion: 2,
    mediaType,
    config: { mediaType: configType, digest: config.digest, size: config.size },
    layers: layers.map(({ blob, mediaType: type }) => ({
      ...{ mediaType: type, digest: blob.digest, size: blob.size },
    })),
    ...fields,
  };
  return tree(mediaType, manifest, [], [config, ...layers.map(({ blob }) => blob)]);
}

export function makeIndex(entries: readonly IndexEntry[], docker = false): Tree {
  const mediaType = docker ? DOCKER_LIST : OCI_INDEX;
  const manifests = entries.map(({ tree: { descriptor }, platform, annotations }) => ({
    ...descriptor,
    ...(annotations && { annotations }),
    ...(platform && { platform }),
  }));
  const children = entries.map(({ tree }) => tree);
  return tree(mediaType, { schemaVersion: 2, mediaType, manifests }, children, []);
}

/** What buildx puts beside an image: how it was built. */
export function makeAttestation(subject: Tree): IndexEntry {
  const { digest } = subject.descriptor;
  const statement = blobOf(
    JSON.stringify({
      _type: 'https://in-toto.io/Statement/v0.1',
      predicateType: 'https://slsa.dev/provenance/v0.2',
      subject: [{ digest }],
      predicate: 'x'.repeat(6_000),
    }),
  );
  const unknown = { os: 'unknown', architecture: 'unknown' };
  const config = blobOf(
    JSON.stringify({ ...unknown, rootfs: { type: 'layers', diff_ids: [statement.digest] } }),
  );
  return {
    tree: makeManifest({
      ...{ config, configType: CONFIG_OCI },
      layers: [{ blob: statement, mediaType: 'application/vnd.in-toto+json' }],
    }),
    platform: unknown,
    annotations: {
      'vnd.docker.reference.digest': digest,
      'vnd.docker.reference.type': 'attestation-manifest',
    },
  };
}

/** This manifest and all below it, children first. */
export function manifestsOf(root: Tree): readonly Tree[] {
  return [...root.children.flatMap(manifestsOf), root];
}

function tree(
  mediaType: string,
  manifest: object,
  children: readonly Tree[],
  blobs: readonly Blob[],
): Tree {
  const bytes = Buffer.from(JSON.stringify(manifest));
  const descriptor = { mediaType, digest: digestOf(bytes), size: bytes.length };
  return { descriptor, bytes, children, blobs };
}
