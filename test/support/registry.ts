import { type Answer, answer, answerError, answerErrors, answerJson } from './registry-answer.ts';
import { DEFAULT_USERS, guardOf } from './registry-auth.ts';
import { handleBlob } from './registry-blobs.ts';
import { type Elsewhere, startElsewhere } from './registry-elsewhere.ts';
import { FaultTable } from './registry-faults.ts';
import { RequestLog } from './registry-log.ts';
import { handleManifest } from './registry-manifests.ts';
import type { RegistryOptions } from './registry-options.ts';
import { type Exchange, type Handler, serve } from './registry-server.ts';
import { blobOf, emptyStore, type RegistryStore } from './registry-store.ts';
import { handleReferrers, handleTags } from './registry-tags.ts';
import { handleUpload } from './registry-uploads.ts';
import type { User } from './registry-users.ts';
import { startTokenServer, type TokenServer } from './token-server.ts';

/** A registry that tests run against, in this process or beside it. */
export interface RunningRegistry {
  /** `127.0.0.1:PORT`, as references name it */
  readonly host: string;
  readonly url: string;
  /** who may push; undefined where nobody logs in */
  readonly login: User | undefined;
  /** where it wants tokens */
  readonly tokens: TokenServer | undefined;
  /** with TLS: the authority to trust, PEM */
  readonly authority: string | undefined;
  /** its requests, and those of its token server */
  readonly log: RequestLog;
  /** Waits until the log holds every request that was answered so far. */
  settle(): Promise<void>;
  close(): Promise<void>;
}

/** The registry in this process: it can be looked into, and broken. */
export interface TestRegistry extends RunningRegistry {
  readonly faults: FaultTable;
  readonly store: RegistryStore;
  /** the highest number of requests that were open at one time */
  maximumActive(): number;
  connections(): number;
  /** how many requests that followed a redirect brought an Authorization header along */
  leakedAuthorization(): number;
}

/**
 * Starts a registry on a free port of 127.0.0.1 that speaks the distribution specification as
 * distribution 2.8 does, and keeps everything in memory.
 *
 * @see https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md
 */
export async function startRegistry(options: RegistryOptions = {}): Promise<TestRegistry> {
  const { auth = 'none', users = DEFAULT_USERS, tls } = options;
  const log = new RequestLog();
  const faults = new FaultTable();
  const store = emptyStore();
  const { anonymousPull = false } = options;
  const tokens =
    auth === 'token'
      ? await startTokenServer({ ...options.tokens, users, anonymousPull, log, faults })
      : undefined;
  const elsewhere = await startElsewhere({ log, faults, tls });
  const handler = registryHandler(store, options, tokens, elsewhere);
  const server = await serve({ handler, log, faults, tls });
  const servers = [server, elsewhere.server, ...(tokens ? [tokens] : [])];
  return {
    ...{ host: server.host, url: server.url, tokens, log, faults, store },
    login: auth === 'none' ? undefined : users.find(({ may }) => may !== 'pull'),
    authority: tls?.authority,
    maximumActive: server.maximumActive,
    connections: server.connections,
    leakedAuthorization: elsewhere.leakedAuthorization,
    settle: async () => void (await Promise.all(servers.map((each) => each.settle()))),
    close: async () => void (await Promise.all(servers.map((each) => each.close()))),
  };
}

function registryHandler(
  store: RegistryStore,
  options: RegistryOptions,
  tokens: TokenServer | undefined,
  elsewhere: Elsewhere,
): Handler {
  const guard = guardOf(options, tokens);
  return (exchange) => {
    const { path, class: of } = exchange;
    const [, name, rest = ''] =
      /^\/v2\/(.+)\/(?:blobs\/uploads|blobs|manifests|tags|referrers)\/([^/]*)$/.exec(path) ?? [];
    const refusal = guard(exchange, name);
    if (refusal) return refusal;
    if (of === 'ping') return answerJson(200, {}, PING_HEADERS);
    if (!name) return answer(404, { 'content-type': 'text/plain' }, NO_PAGE);
    if (!NAME.test(name)) return answerError(400, 'NAME_INVALID');
    if (writes(exchange) && options.repositories && !options.repositories.includes(name))
      return answerErrors(404, [{ code: 'NAME_UNKNOWN' }]);
    return route(store, options, elsewhere, exchange, name, rest);
  };
}

function route(
  store: RegistryStore,
  options: RegistryOptions,
  elsewhere: Elsewhere,
  exchange: Exchange,
  name: string,
  rest: string,
): Answer | Promise<Answer> {
  switch (exchange.class) {
    case 'upload':
    case 'mount':
      return handleUpload(store, options, exchange, name, rest);
    case 'manifest':
      return handleManifest(store, options, exchange, name, decodeURIComponent(rest));
    case 'tags':
      return handleTags(store, options, exchange, name);
    case 'referrers':
      return handleReferrers(store, options, exchange, name, decodeURIComponent(rest));
    default: {
      const digest = decodeURIComponent(rest);
      const status = exchange.fault?.redirect;
      const bytes = blobOf(store, name, digest);
      if (!status || !bytes) return handleBlob(store, exchange, name, digest);
      return answer(status, { location: elsewhere.addressOf(digest, bytes) });
    }
  }
}

function writes(exchange: Exchange): boolean {
  return exchange.method !== 'GET' && exchange.method !== 'HEAD';
}

const NAME = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;

const PING_HEADERS = { 'docker-distribution-api-version': 'registry/2.0' };

const NO_PAGE = Buffer.from('404 page not found\n');
