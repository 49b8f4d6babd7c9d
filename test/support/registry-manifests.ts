import { digestOf } from '../../src/oci/digest.ts';
import {
  DOCKER_LIST,
  DOCKER_MANIFEST,
  OCI_INDEX,
  OCI_MANIFEST,
} from '../../src/oci/media-types.ts';
import { type Answer, answer, answerError, answerErrors } from './registry-answer.ts';
import { answerOf } from './registry-damage.ts';
import type { RegistryOptions } from './registry-options.ts';
import { type Exchange, readAll } from './registry-server.ts';
import {
  blobOf,
  type RegistryStore,
  repositoryOf,
  type StoredRepository,
} from './registry-store.ts';

const MAXIMUM_BYTES = 4 * 1024 * 1024;

/** These are given only to who asks for them by name: the wildcard is not understood, as in distribution 2.8. */
const NAMED_TYPES: readonly string[] = [OCI_MANIFEST, OCI_INDEX, DOCKER_MANIFEST, DOCKER_LIST];

/**
 * Manifests by tag or digest: HEAD, GET, PUT and DELETE.
 *
 * @see https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pushing-manifests
 */
export async function handleManifest(
  store: RegistryStore,
  options: RegistryOptions,
  exchange: Exchange,
  name: string,
  reference: string,
): Promise<Answer> {
  switch (exchange.method) {
    case 'GET':
    case 'HEAD':
      return read(store, exchange, name, reference);
    case 'PUT':
      return write(store, options, exchange, name, reference);
    case 'DELETE':
      return remove(store, name, reference);
    default:
      return answerError(405, 'UNSUPPORTED');
  }
}

function read(store: RegistryStore, exchange: Exchange, name: string, reference: string): Answer {
  const repository = store.repositories.get(name);
  const digest = isDigest(reference) ? reference : repository?.tags.get(reference);
  const mediaType = repository?.manifests.get(digest ?? '');
  const bytes = store.contents.get(digest ?? '');
  if (!digest || !mediaType || !bytes) return answerError(404, 'MANIFEST_UNKNOWN', { reference });
  // A docker manifest by digest is given to everyone, since no older form of it has that digest.
  const mustBeAsked = !mediaType.includes('docker') || !isDigest(reference);
  if (NAMED_TYPES.includes(mediaType) && mustBeAsked && !accepted(exchange).includes(mediaType))
    return answerError(404, 'MANIFEST_UNKNOWN', 'the accept header does not name its type');
  return answer(
    200,
    { 'content-type': mediaType, 'docker-content-digest': digest, etag: `"${digest}"` },
    bytes,
  );
}

function accepted(exchange: Exchange): readonly string[] {
  const types = (exchange.headers.accept ?? '').split(',');
  return types.map((type) => (type.split(';')[0] ?? '').trim());
}

async function write(
  store: RegistryStore,
  options: RegistryOptions,
  exchange: Exchange,
  name: string,
  reference: string,
): Promise<Answer> {
  const bytes = await readAll(exchange.body);
  if (bytes.length > MAXIMUM_BYTES) return answerError(400, 'MANIFEST_INVALID', 'too large');
  const mediaType = exchange.headers['content-type'] ?? '';
  const refusal = options.refuseManifest?.(mediaType, name, reference);
  if (refusal) return answerOf(refusal);
  const fields = parse(bytes);
  if (!fields) return answerError(400, 'MANIFEST_INVALID', 'not JSON');
  const digest = reference.startsWith('sha512:') ? digestOf(bytes, 'sha512') : digestOf(bytes);
  if (isDigest(reference) && reference !== digest) return answerError(400, 'DIGEST_INVALID');
  const missing = options.checkParts === false ? [] : missingParts(store, name, fields);
  if (missing.length > 0)
    return answerErrors(
      400,
      missing.map((part) => ({ code: 'MANIFEST_BLOB_UNKNOWN', detail: part })),
    );
  const repository = repositoryOf(store, name);
  if (!isDigest(reference)) {
    const present = repository.tags.get(reference);
    if (options.immutableTags && present !== undefined && present !== digest)
      return answerError(400, 'TAG_INVALID', `the tag ${reference} is immutable`);
    repository.tags.set(reference, digest);
  }
  store.contents.set(digest, bytes);
  repository.manifests.set(digest, mediaType);
  const path = `/v2/${name}/manifests/${digest}`;
  return answer(201, {
    location: options.relativeLocations ? path : `${exchange.origin}${path}`,
    'docker-content-digest': digest,
    ...(options.referrers && fields.subject ? { 'oci-subject': fields.subject.digest } : {}),
  });
}

function remove(store: RegistryStore, name: string, reference: string): Answer {
  const repository = store.repositories.get(name);
  if (!isDigest(reference)) return answerError(400, 'DIGEST_INVALID');
  if (!repository?.manifests.delete(reference)) return answerError(404, 'MANIFEST_UNKNOWN');
  for (const [tag, digest] of repository.tags)
    if (digest === reference) repository.tags.delete(tag);
  return answer(202);
}

/** Parts that are to be there before the manifest: children, and blobs without an address of their own. */
function missingParts(store: RegistryStore, name: string, fields: ManifestFields) {
  const repository: StoredRepository | undefined = store.repositories.get(name);
  const children = (fields.manifests ?? []).map(({ digest }) => digest);
  const blobs = [...(fields.config ? [fields.config] : []), ...(fields.layers ?? [])]
    .filter(({ urls = [] }) => urls.length === 0)
    .map(({ digest }) => digest);
  return [
    ...children.filter((digest) => !repository?.manifests.has(digest)),
    ...blobs.filter((digest) => !blobOf(store, name, digest)),
  ];
}

interface Part {
  readonly digest: string;
  readonly urls?: readonly string[];
}

interface ManifestFields {
  readonly config?: Part;
  readonly layers?: readonly Part[];
  readonly manifests?: readonly Part[];
  readonly subject?: Part;
}

function parse(bytes: Buffer): ManifestFields | undefined {
  try {
    return JSON.parse(bytes.toString());
  } catch {
    return undefined;
  }
}

function isDigest(reference: string): boolean {
  return reference.includes(':');
}
