import type { Descriptor, Platform } from './descriptor.ts';
import { type Digest, isDigest } from './digest.ts';
import { InvalidManifestError } from './errors.ts';
import { DOCKER_SCHEMA_1, DOCKER_SCHEMA_1_SIGNED, OCI_INDEX, OCI_MANIFEST } from './media-types.ts';

/** A manifest as it was received: parsed only to look inside, never encoded again. */
export interface Manifest {
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
}

/** What a manifest points at: manifests that must be there before it, and blobs. */
export interface Links {
  readonly manifests: readonly Descriptor[];
  /** each digest once, in the order of the manifest */
  readonly blobs: readonly Descriptor[];
}

/** No image of this world nests indexes deeper; a server that does wants to keep us busy. */
export const MAXIMUM_DEPTH = 8;

/** Manifests are read up to this many bytes, the limit that registries themselves set. */
export const MAXIMUM_MANIFEST_BYTES = 4 * 1024 * 1024;

type Fields = Readonly<Record<string, unknown>>;

// It goes into a header.
const MEDIA_TYPE = /^[\w!#$&^.+-]{1,127}\/[\w!#$&^.+-]{1,127}(?:; ?[\w=.-]{1,127})*$/;

/**
 * The media type of a manifest: what the body says, else its shape, else what the server said.
 *
 * Artifactory and some proxies serve manifests as `application/json` or `text/plain`, hence body first.
 */
export function mediaTypeOf(bytes: Uint8Array, contentType: string | undefined): string {
  const fields = parse(bytes);
  const written = fields['mediaType'];
  if (typeof written === 'string' && written !== '') {
    if (MEDIA_TYPE.test(written)) return written;
    throw new InvalidManifestError(`the manifest's media type is ${shown(written)}`);
  }
  const served = contentType?.split(';')[0]?.trim().toLowerCase();
  if (served && /[.+]/.test(served)) return served;
  if (Array.isArray(fields['manifests'])) return OCI_INDEX;
  if (Array.isArray(fields['layers'])) return OCI_MANIFEST;
  if (Array.isArray(fields['fsLayers'])) return DOCKER_SCHEMA_1_SIGNED;
  return served ?? 'application/octet-stream';
}

/**
 * Reads what a manifest points at, by its shape rather than its media type, so that types nobody has
 * heard of are carried too.
 *
 * @throws {InvalidManifestError} not JSON, a descriptor without digest or size, or docker's schema 1
 * @see https://github.com/opencontainers/image-spec/blob/v1.1.1/manifest.md
 */
export function linksOf(manifest: Manifest): Links {
  const fields = parse(manifest.bytes);
  const { mediaType } = manifest.descriptor;
  if (mediaType === DOCKER_SCHEMA_1 || mediaType === DOCKER_SCHEMA_1_SIGNED || fields['fsLayers'])
    throw new InvalidManifestError(
      'it is a docker schema 1 manifest, which registries no longer accept: pull it and push it again with a current docker',
    );
  const config = fields['config'] ?? undefined;
  const blobs = [
    ...(config === undefined ? [] : [config]),
    ...list(fields, 'layers'),
    ...list(fields, 'blobs'),
  ];
  return {
    manifests: unique(list(fields, 'manifests').map(descriptorOf)),
    blobs: unique(blobs.map(descriptorOf)),
  };
}

function parse(bytes: Uint8Array): Fields {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new InvalidManifestError('the manifest is not JSON', { cause });
  }
  if (!isFields(value)) throw new InvalidManifestError('the manifest is not a JSON object');
  return value;
}

function list(fields: Fields, key: string): readonly unknown[] {
  const value = fields[key];
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw new InvalidManifestError(`"${key}" of the manifest is no list`);
  return value;
}

function descriptorOf(value: unknown): Descriptor {
  if (!isFields(value))
    throw new InvalidManifestError('the manifest holds a descriptor that is no object');
  const { digest, size, mediaType, urls } = value;
  if (typeof digest !== 'string' || !isDigest(digest))
    throw new InvalidManifestError(
      `the manifest holds a descriptor with the digest ${shown(digest)}`,
    );
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0)
    throw new InvalidManifestError(`the manifest gives ${digest} the size ${shown(size)}`);
  const platform = platformOf(value['platform']);
  const places = Array.isArray(urls) ? urls.filter((url) => typeof url === 'string') : [];
  return {
    mediaType: typeof mediaType === 'string' ? mediaType : 'application/octet-stream',
    digest,
    size,
    ...(platform ? { platform } : {}),
    ...(places.length > 0 ? { urls: places } : {}),
  };
}

/** What stands where something else is due; lists and objects may have no end. */
function shown(value: unknown): string {
  if (typeof value === 'object' && value !== null) return 'of no text';
  return typeof value === 'string' ? JSON.stringify(value.slice(0, 80)) : String(value);
}

function platformOf(value: unknown): Platform | undefined {
  if (!isFields(value)) return undefined;
  const { os, architecture, variant } = value;
  if (typeof os !== 'string' || typeof architecture !== 'string') return undefined;
  return { os, architecture, ...(typeof variant === 'string' ? { variant } : {}) };
}

function unique(descriptors: readonly Descriptor[]): readonly Descriptor[] {
  const seen = new Map<Digest, Descriptor>();
  for (const descriptor of descriptors)
    if (!seen.has(descriptor.digest)) seen.set(descriptor.digest, descriptor);
  return [...seen.values()];
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
