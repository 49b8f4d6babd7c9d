import { type Answer, answer, answerError, answerJson } from './registry-answer.ts';
import type { RegistryOptions } from './registry-options.ts';
import type { Exchange } from './registry-server.ts';
import type { RegistryStore } from './registry-store.ts';

/**
 * Lists tags, by pages where the client or the registry wants that.
 *
 * @see https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#listing-tags
 */
export function handleTags(
  store: RegistryStore,
  options: RegistryOptions,
  { method, query, origin }: Exchange,
  name: string,
): Answer {
  if (method !== 'GET') return answerError(405, 'UNSUPPORTED');
  const repository = store.repositories.get(name);
  if (!repository || repository.tags.size === 0) return answerError(404, 'NAME_UNKNOWN', { name });
  const last = query.get('last') ?? '';
  const tags = [...repository.tags.keys()].sort().filter((tag) => tag > last);
  const asked = query.has('n') ? Number(query.get('n')) : Number.POSITIVE_INFINITY;
  const size = Math.min(asked, options.pageSize ?? Number.POSITIVE_INFINITY);
  const page = tags.slice(0, size);
  if (page.length === tags.length || page.length === 0)
    return answerJson(200, { name, tags: page });
  const next = new URLSearchParams({ last: page.at(-1) ?? '', n: `${size}` });
  const path = `/v2/${name}/tags/list?${next}`;
  const address = options.relativeLocations === false ? `${origin}${path}` : path;
  return answerJson(200, { name, tags: page }, { link: `<${address}>; rel="next"` });
}

/**
 * What points at a manifest, by its `subject`.
 *
 * @see https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#listing-referrers
 */
export function handleReferrers(
  store: RegistryStore,
  options: RegistryOptions,
  exchange: Exchange,
  name: string,
  subject: string,
): Answer {
  if (!options.referrers) return answer(404, { 'content-type': 'text/plain' }, NO_PAGE);
  const repository = store.repositories.get(name);
  const manifests = [...(repository?.manifests ?? [])].flatMap(([digest, mediaType]) => {
    const bytes = store.contents.get(digest) ?? new Uint8Array();
    const fields = JSON.parse(Buffer.from(bytes).toString());
    if (fields.subject?.digest !== subject) return [];
    const artifactType = fields.artifactType ?? fields.config?.mediaType;
    const { annotations } = fields;
    return [{ mediaType, digest, size: bytes.length, artifactType, annotations }];
  });
  const wanted = exchange.query.get('artifactType');
  return answerJson(
    200,
    {
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.index.v1+json',
      manifests: manifests.filter(({ artifactType }) => !wanted || artifactType === wanted),
    },
    {
      'content-type': 'application/vnd.oci.image.index.v1+json',
      ...(wanted ? { 'oci-filters-applied': 'artifactType' } : {}),
    },
  );
}

// Distribution 2.8 does not know the path: its router answers in plain text, without error codes.
const NO_PAGE = Buffer.from('404 page not found\n');
