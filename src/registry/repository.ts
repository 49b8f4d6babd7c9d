import type { Descriptor } from '../oci/descriptor.ts';
import { algorithmOf, type Bytes, digestOf, isDigest } from '../oci/digest.ts';
import { DigestMismatchError, storeErrorIn } from '../oci/errors.ts';
import { MAXIMUM_MANIFEST_BYTES, type Manifest, mediaTypeOf } from '../oci/manifest.ts';
import { ACCEPTED_MANIFESTS, DOCKER_SCHEMA_1_SIGNED } from '../oci/media-types.ts';
import { isTag, type RepositoryName } from '../oci/reference.ts';
import type { Arrival, Destination, OpenBlob, PutBlobOptions, Source } from '../oci/store.ts';
import { field, readBody } from './body.ts';
import { downloadBlob } from './download.ts';
import { isHeadRefused, lengthOf } from './head.ts';
import { pages } from './pages.ts';
import { refusalOf } from './refusal.ts';
import type { RetryPolicy } from './retry.ts';
import type { HttpRequest, HttpResponse, Transport } from './transport.ts';
import { mountBlob, type UploadPlace, uploadBlob } from './upload.ts';

export interface RepositoryOptions {
  readonly name: RepositoryName;
  /** `https://host/v2/<repository>/` */
  readonly base: URL;
  /** logs in, retries and paces */
  readonly transport: Transport;
  /** for addresses outside the registry, without any login */
  readonly foreign: Transport;
  readonly retry: RetryPolicy;
  readonly uploads: Pick<UploadPlace, 'idleMs' | 'manner' | 'kept'>;
}

const TAGS_PER_PAGE = 1000;

/**
 * One repository of one registry, over the distribution API: both a source and a destination.
 *
 * @see https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md
 */
export class Repository implements Source, Destination {
  readonly name: RepositoryName;
  readonly #options: RepositoryOptions;

  constructor(options: RepositoryOptions) {
    this.name = options.name;
    this.#options = options;
  }

  async resolve(tagOrDigest: string, signal?: AbortSignal): Promise<Descriptor | undefined> {
    const request = this.#manifestRequest('HEAD', tagOrDigest, signal);
    const response = await this.#options.transport(request);
    await response.discard();
    if (response.status === 404) return undefined;
    if (response.status === 200) {
      const described = describedBy(response);
      if (described) return described;
    } else if (!isHeadRefused(response)) throw await refusalOf(request, response);
    return this.#resolveByFetching(tagOrDigest, signal);
  }

  async fetchManifest(tagOrDigest: string, signal?: AbortSignal): Promise<Manifest> {
    const request = this.#manifestRequest('GET', tagOrDigest, signal);
    const response = await this.#options.transport(request);
    if (response.status !== 200) throw await refusalOf(request, response);
    const bytes = await readBody(response, MAXIMUM_MANIFEST_BYTES);
    const named = isDigest(tagOrDigest) ? tagOrDigest : response.header('docker-content-digest');
    const claimed = named !== undefined && isDigest(named) ? named : digestOf(bytes);
    const found = digestOf(bytes, algorithmOf(claimed));
    const contentType = response.header('content-type');
    // Before anything else is said of it: bytes that were cut are no JSON either, but may be whole next time.
    if (found !== claimed && !isSigned(bytes, contentType))
      throw new DigestMismatchError(claimed, found);
    const mediaType = mediaTypeOf(bytes, contentType);
    return { bytes, descriptor: { mediaType, digest: claimed, size: bytes.byteLength } };
  }

  openBlob(blob: Descriptor, offset: number, signal?: AbortSignal): Promise<Bytes> {
    const { transport, foreign, retry } = this.#options;
    const place = { transport, foreign, retry, url: this.#url('blobs/') };
    return downloadBlob(place, blob, offset, signal);
  }

  async hasBlob(blob: Descriptor, signal?: AbortSignal): Promise<boolean> {
    const request = { method: 'HEAD', url: this.#url(`blobs/${blob.digest}`), signal } as const;
    const response = await this.#options.transport(request);
    await response.discard();
    // Everything but 200 and 404 means that nobody knows; the upload will tell.
    return response.status === 200;
  }

  async statBlob(blob: Descriptor, signal?: AbortSignal): Promise<number | undefined> {
    const url = this.#url(`blobs/${blob.digest}`);
    const head = { method: 'HEAD', url, signal } as const;
    const response = await this.#options.transport(head);
    await response.discard();
    if (response.status === 404) return undefined;
    const size = response.status === 200 ? lengthOf(response) : undefined;
    if (size !== undefined) return size;
    // A storage service may know a signed address for GET alone.
    const elsewhere = response.url.origin !== url.origin;
    if (response.status !== 200 && !elsewhere && !isHeadRefused(response))
      throw await refusalOf(head, response);
    return this.#statByFetching(url, blob.size, signal);
  }

  putBlob(blob: Descriptor, open: OpenBlob, options: PutBlobOptions): Promise<Arrival> {
    return uploadBlob(this.#uploads(), blob, open, options);
  }

  mountBlob(blob: Descriptor, from: string, signal?: AbortSignal): Promise<boolean> {
    return mountBlob(this.#uploads(), blob, from, signal);
  }

  async putManifest(
    manifest: Manifest,
    tag: string | undefined,
    signal?: AbortSignal,
  ): Promise<void> {
    const { mediaType, digest } = manifest.descriptor;
    const request: HttpRequest = {
      method: 'PUT',
      url: this.#url(`manifests/${tag ?? digest}`),
      headers: { 'content-type': mediaType },
      body: manifest.bytes,
      signal,
    };
    const response = await this.#options.transport(request);
    if (response.status !== 201 && response.status !== 200 && response.status !== 202)
      throw await refusalOf(request, response);
    await response.discard();
    const stored = response.header('docker-content-digest');
    if (stored !== undefined && isDigest(stored) && stored !== digest)
      throw new DigestMismatchError(digest, `stored by ${request.url.host} as ${stored}`);
  }

  /** Every tag of the repository, in the order in which the registry gives them; what is no tag is left out. */
  async *listTags(signal?: AbortSignal): AsyncIterable<string> {
    const first = this.#url(`tags/list?n=${TAGS_PER_PAGE}`);
    for await (const page of pages(first, this.#options.transport, signal)) {
      const tags = field(page, 'tags');
      if (Array.isArray(tags)) yield* tags.filter((tag) => typeof tag === 'string' && isTag(tag));
    }
  }

  async #resolveByFetching(
    tagOrDigest: string,
    signal: AbortSignal | undefined,
  ): Promise<Descriptor | undefined> {
    try {
      return (await this.fetchManifest(tagOrDigest, signal)).descriptor;
    } catch (error) {
      if (storeErrorIn(error)?.missing) return undefined;
      throw error;
    }
  }

  async #statByFetching(
    url: URL,
    most: number,
    signal: AbortSignal | undefined,
  ): Promise<number | undefined> {
    const request = { method: 'GET', url, signal } as const;
    const response = await this.#options.transport(request);
    if (response.status !== 200 && response.status !== 404)
      throw await refusalOf(request, response);
    const size =
      response.status === 200 ? (lengthOf(response) ?? (await countOf(response, most))) : undefined;
    await response.discard();
    return size;
  }

  #uploads(): UploadPlace {
    const { transport, retry, uploads } = this.#options;
    const { repository } = this.name;
    const urls = { url: this.#url('blobs/uploads/'), blobs: this.#url('blobs/') };
    return { ...uploads, ...urls, transport, retry, repository };
  }

  #manifestRequest(method: 'GET' | 'HEAD', tagOrDigest: string, signal: AbortSignal | undefined) {
    const url = this.#url(`manifests/${tagOrDigest}`);
    return { method, url, headers: { accept: ACCEPTED_MANIFESTS }, signal } as const;
  }

  #url(path: string): URL {
    return new URL(path, this.#options.base);
  }
}

function describedBy(response: HttpResponse): Descriptor | undefined {
  const digest = response.header('docker-content-digest');
  if (digest === undefined || !isDigest(digest)) return undefined;
  const mediaType = response.header('content-type')?.split(';')[0]?.trim() ?? '';
  return { mediaType, digest, size: Number(response.header('content-length') ?? 0) };
}

/** How many bytes come; of more than are due, that there are more. */
async function countOf(response: HttpResponse, most: number): Promise<number> {
  let count = 0;
  for await (const chunk of response.body) {
    count += chunk.byteLength;
    if (count > most) break;
  }
  return count;
}

// The digest of a signed schema 1 manifest leaves its signatures out; it is refused later, with a reason.
function isSigned(bytes: Uint8Array, contentType: string | undefined): boolean {
  try {
    return mediaTypeOf(bytes, contentType) === DOCKER_SCHEMA_1_SIGNED;
  } catch {
    return false;
  }
}
