import type { Descriptor } from '../oci/descriptor.ts';
import type { Bytes } from '../oci/digest.ts';
import { DigestMismatchError } from '../oci/errors.ts';
import { bytesFrom, resumed } from './blob.ts';
import { refusalOf } from './refusal.ts';
import type { RetryPolicy } from './retry.ts';
import type { HttpResponse, Transport } from './transport.ts';

/** Where blobs of one repository are downloaded from. */
export interface DownloadPlace {
  readonly transport: Transport;
  /** for the addresses of foreign layers, without any login */
  readonly foreign: Transport;
  /** `/v2/<repository>/blobs/` */
  readonly url: URL;
  readonly retry: RetryPolicy;
}

/**
 * Opens the bytes of a blob from an offset on; they go on although connections break. The first answer is
 * waited for, so that a blob that is not there is known before anything is sent elsewhere.
 *
 * @throws {RegistryError} the blob is refused, and no address of the manifest has it either
 * @see https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pulling-blobs
 */
export async function downloadBlob(
  place: DownloadPlace,
  blob: Descriptor,
  offset: number,
  signal: AbortSignal | undefined,
): Promise<Bytes> {
  let next: Bytes | undefined = await openAt(place, blob, offset, signal);
  const open = async (position: number): Promise<Bytes> => {
    const bytes = next ?? (await openAt(place, blob, position, signal));
    next = undefined;
    return bytes;
  };
  return resumed(open, { blob, offset, host: place.url.host, policy: place.retry, signal });
}

async function openAt(
  place: DownloadPlace,
  blob: Descriptor,
  offset: number,
  signal: AbortSignal | undefined,
): Promise<Bytes> {
  const request = rangeRequest(new URL(`./${blob.digest}`, place.url), offset, signal);
  const response = await place.transport(request);
  if (isContent(response)) return bytesFrom(response, offset);
  if (response.status === 416) await fail(response, blob, offset);
  const elsewhere =
    response.status === 404 ? await openForeign(place, blob, offset, signal) : undefined;
  if (!elsewhere) throw await refusalOf(request, response);
  await response.discard();
  return elsewhere;
}

// There is nothing behind what was read: the blob is shorter than its manifest says.
async function fail(response: HttpResponse, { digest, size }: Descriptor, offset: number) {
  await response.discard();
  throw new DigestMismatchError(digest, `only ${offset} of ${size} bytes`);
}

// A foreign layer may live at an address of its manifest only (Windows base images).
async function openForeign(
  { foreign }: DownloadPlace,
  blob: Descriptor,
  offset: number,
  signal: AbortSignal | undefined,
): Promise<Bytes | undefined> {
  for (const address of blob.urls ?? []) {
    if (!/^https?:/i.test(address) || !URL.canParse(address)) continue;
    const request = rangeRequest(new URL(address), offset, signal);
    const response = await foreign(request).catch(() => undefined);
    if (response && isContent(response)) return bytesFrom(response, offset);
    await response?.discard();
  }
  signal?.throwIfAborted();
  return undefined;
}

function rangeRequest(url: URL, offset: number, signal: AbortSignal | undefined) {
  const headers = offset > 0 ? { range: `bytes=${offset}-` } : {};
  return { method: 'GET', url, headers, signal } as const;
}

function isContent({ status }: HttpResponse): boolean {
  return status === 200 || status === 206;
}
