import type { Descriptor } from '../../src/oci/descriptor.ts';
import { type Digest, digestOf } from '../../src/oci/digest.ts';
import type { BlobBytes } from './images-layer.ts';
import { type ClientResponse, send, type Target } from './registry-client.ts';

/** What a fixture put into a registry. */
export interface PushedImage {
  readonly repository: string;
  /** undefined: it was pushed by its digest only */
  readonly tag: string | undefined;
  readonly digest: Digest;
  readonly mediaType: string;
  /** bytes of the manifest */
  readonly size: number;
  /** every blob below it once, those of children included, foreign layers not */
  readonly blobs: readonly { readonly digest: Digest; readonly size: number }[];
  /** the digests of its manifest and of all below it */
  readonly manifests: readonly Digest[];
}

export interface Place {
  readonly repository: string;
  readonly tag?: string | undefined;
}

/** Puts a blob into a repository unless it is there. */
export async function pushBlob(
  target: Target,
  repository: string,
  { digest, bytes }: BlobBytes,
): Promise<void> {
  const blobs = `/v2/${repository}/blobs`;
  const present = await send(target, { method: 'HEAD', path: `${blobs}/${digest}` });
  if (present.status === 200) return;
  const started = await send(target, { method: 'POST', path: `${blobs}/uploads/` });
  expect(started, 202, 'POST of an upload');
  const location = new URL(started.headers.location ?? '', addressOf(target));
  location.searchParams.set('digest', digest);
  const headers = { 'content-type': 'application/octet-stream' };
  const closed = await send(target, { method: 'PUT', path: location.href, headers, body: bytes });
  expect(closed, 201, 'PUT of a blob');
}

/** Puts a manifest under its tag, or under its digest where there is no tag. */
export async function pushManifest(
  target: Target,
  place: Place,
  mediaType: string,
  fields: object,
  below: Pick<PushedImage, 'blobs' | 'manifests'>,
): Promise<PushedImage> {
  const body = Buffer.from(JSON.stringify(fields));
  const digest = digestOf(body);
  const path = `/v2/${place.repository}/manifests/${place.tag ?? digest}`;
  const headers = { 'content-type': mediaType };
  expect(await send(target, { method: 'PUT', path, headers, body }), 201, `PUT of ${path}`);
  return {
    ...{ repository: place.repository, tag: place.tag, digest, mediaType, size: body.length },
    blobs: [...new Map(below.blobs.map((each) => [each.digest, each])).values()],
    manifests: [...new Set([digest, ...below.manifests])],
  };
}

/** What an index says of a child. */
export function descriptorOf(image: PushedImage): Descriptor {
  const { mediaType, digest, size } = image;
  return { mediaType, digest, size };
}

export function addressOf(target: Target): string {
  return typeof target === 'string' ? target : target.url;
}

function expect({ status, body }: ClientResponse, wanted: number, what: string): void {
  if (status !== wanted)
    throw new Error(`${what} was answered ${status} instead of ${wanted}: ${body}`);
}
