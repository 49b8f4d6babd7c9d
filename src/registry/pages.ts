import { StoreError } from '../oci/errors.ts';
import { parseJson, readBody } from './body.ts';
import { refusalOf } from './refusal.ts';
import type { Transport } from './transport.ts';

// A page of tags of the longest kind is far below this; what is above it wants to fill our memory.
const PAGE_BYTES = 16 * 1024 * 1024;
// All pages together: a quarter of a million tags of the longest kind.
const LIST_BYTES = 32 * 1024 * 1024;
// The largest repositories of this world have some ten thousand tags; this many pages of any size are enough.
const MAXIMUM_PAGES = 10_000;

/** A listing that leads nowhere, or to somebody else. */
export class InvalidListError extends StoreError {
  override readonly name = 'InvalidListError';
  readonly code = 'LIST_INVALID';
}

/**
 * Walks a listing page by page along `Link: <...>; rel="next"`, which may be relative or absolute; a link to
 * another origin ends the walk with an error rather than being followed.
 *
 * @throws {RegistryError} a page was refused
 * @throws {InvalidListError} the list goes on at another origin, or without an end
 * @see https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#listing-tags
 */
export async function* pages(
  first: URL,
  transport: Transport,
  signal?: AbortSignal,
): AsyncIterable<unknown> {
  const seen = new Set<string>();
  let left = LIST_BYTES;
  for (let url: URL | undefined = first; url && !seen.has(url.href); ) {
    if (seen.size >= MAXIMUM_PAGES) throw new InvalidListError(`${url.host} lists without an end`);
    seen.add(url.href);
    const request = { method: 'GET', url, signal } as const;
    const response = await transport(request);
    if (response.status !== 200) throw await refusalOf(request, response);
    const next = nextLink(response.header('link'), url);
    const body = await readBody(response, Math.min(PAGE_BYTES, left));
    left -= body.byteLength;
    if (left <= 0) throw new InvalidListError(`${url.host} lists more than anybody could use`);
    yield parseJson(body);
    url = next;
  }
}

function nextLink(header: string | undefined, base: URL): URL | undefined {
  const links = header?.matchAll(/<([^>]*)>([^<]*)/g) ?? [];
  for (const [, target = '', parameters = ''] of links) {
    if (!/;\s*rel\s*=\s*"?next"?/i.test(parameters)) continue;
    if (!URL.canParse(target, base.href)) return undefined;
    const url = new URL(target, base);
    if (url.origin !== base.origin)
      throw new InvalidListError(`${base.host} continues its list on another host`);
    return url;
  }
  return undefined;
}
