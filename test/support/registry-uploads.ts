import { createHash, randomUUID } from 'node:crypto';
import { type Answer, answer, answerError } from './registry-answer.ts';
import type { RegistryOptions } from './registry-options.ts';
import type { Exchange } from './registry-server.ts';
import { blobOf, type RegistryStore, repositoryOf, type UploadSession } from './registry-store.ts';

/**
 * Blob uploads: POST opens a session or mounts, PATCH adds bytes, PUT closes, GET asks, DELETE gives up.
 *
 * @see https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pushing-blobs
 */
export async function handleUpload(
  store: RegistryStore,
  options: RegistryOptions,
  exchange: Exchange,
  repository: string,
  identifier: string,
): Promise<Answer> {
  const locate = (path: string) => (options.relativeLocations ? path : `${exchange.origin}${path}`);
  if (identifier === '')
    return exchange.method === 'POST'
      ? start(store, exchange, repository, locate)
      : answerError(405, 'UNSUPPORTED');
  const session = resume(store, options, exchange, repository, identifier);
  if ('status' in session) return session;
  switch (exchange.method) {
    case 'GET':
    case 'HEAD':
      return stateOf(session, 204, locate);
    case 'PATCH':
      return add(options, exchange, session, locate);
    case 'PUT':
      return finish(store, options, exchange, session, locate);
    case 'DELETE':
      store.uploads.delete(identifier);
      return answer(204, { 'docker-upload-uuid': identifier });
    default:
      return answerError(405, 'UNSUPPORTED');
  }
}

type Locate = (path: string) => string;

function start(store: RegistryStore, exchange: Exchange, repository: string, locate: Locate) {
  const mount = exchange.query.get('mount');
  const from = exchange.query.get('from');
  const wanted = mount && from && exchange.fault?.ignore !== 'mount' ? mount : undefined;
  if (wanted && blobOf(store, from ?? '', wanted)) {
    repositoryOf(store, repository).blobs.add(wanted);
    return created(repository, wanted, locate);
  }
  // `digest=` of a single POST is not understood, as in distribution: 202, the bytes are to be sent again.
  const session = { identifier: randomUUID(), repository, chunks: [], size: 0 };
  store.uploads.set(session.identifier, session);
  return stateOf(session, 202, locate);
}

/** The session that a Location names, or why there is none. */
function resume(
  store: RegistryStore,
  { resumable = true }: RegistryOptions,
  exchange: Exchange,
  repository: string,
  identifier: string,
): UploadSession | Answer {
  const state = readState(exchange.query.get('_state'));
  if (state?.identifier !== identifier || state.repository !== repository)
    return answerError(404, 'BLOB_UPLOAD_INVALID');
  const session = store.uploads.get(identifier);
  if (!session) return answerError(404, 'BLOB_UPLOAD_UNKNOWN');
  if (resumable || state.offset === session.size) return session;
  return answerError(404, 'BLOB_UPLOAD_INVALID');
}

async function add(
  { resumable = true }: RegistryOptions,
  exchange: Exchange,
  session: UploadSession,
  locate: Locate,
): Promise<Answer> {
  const [, first] = /^(?:bytes )?(\d+)-\d+/.exec(exchange.headers['content-range'] ?? '') ?? [];
  if (resumable && first !== undefined && Number(first) !== session.size) {
    const { headers } = stateOf(session, 416, locate);
    return answer(416, headers);
  }
  await receive(exchange, session);
  return stateOf(session, 202, locate);
}

async function finish(
  store: RegistryStore,
  { checkDigests = true }: RegistryOptions,
  exchange: Exchange,
  session: UploadSession,
  locate: Locate,
): Promise<Answer> {
  const digest = exchange.query.get('digest') ?? '';
  const [, algorithm] = /^(sha256|sha512):[0-9a-f]+$/.exec(digest) ?? [];
  if (!algorithm) return answerError(400, 'DIGEST_INVALID', 'digest missing');
  await receive(exchange, session);
  const bytes = Buffer.concat(session.chunks);
  store.uploads.delete(session.identifier);
  const found = `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`;
  if (checkDigests && found !== digest) return answerError(400, 'DIGEST_INVALID', { digest });
  store.contents.set(digest, bytes);
  repositoryOf(store, session.repository).blobs.add(digest);
  return created(session.repository, digest, locate);
}

/** Keeps what arrives also when the connection breaks in the middle. */
async function receive(exchange: Exchange, session: UploadSession): Promise<void> {
  for await (const chunk of exchange.body) {
    session.chunks.push(chunk);
    session.size += chunk.length;
  }
}

function created(repository: string, digest: string, locate: Locate): Answer {
  const location = locate(`/v2/${repository}/blobs/${digest}`);
  return answer(201, { location, 'docker-content-digest': digest });
}

function stateOf(session: UploadSession, status: number, locate: Locate): Answer {
  const { identifier, repository, size } = session;
  const state = Buffer.from(JSON.stringify({ identifier, repository, offset: size }));
  const query = `_state=${state.toString('base64url')}`;
  return answer(status, {
    location: locate(`/v2/${repository}/blobs/uploads/${identifier}?${query}`),
    range: `0-${Math.max(0, size - 1)}`,
    'docker-upload-uuid': identifier,
  });
}

interface UploadState {
  readonly identifier: string;
  readonly repository: string;
  readonly offset: number;
}

function readState(text: string | null): UploadState | undefined {
  try {
    return JSON.parse(Buffer.from(text ?? '', 'base64url').toString());
  } catch {
    return undefined;
  }
}
