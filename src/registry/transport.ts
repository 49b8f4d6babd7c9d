import { createSecureContext, getCACertificates } from 'node:tls';
import { Agent, type Dispatcher, EnvHttpProxyAgent } from 'undici';
import type { Bytes } from '../oci/digest.ts';
import { ask } from './answer.ts';
import { connector } from './connector.ts';
import { NetworkError } from './errors.ts';

export interface HttpRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  /** a function opens the body afresh for each attempt; its length then stands in `content-length` */
  readonly body?: Uint8Array | (() => Promise<Bytes>);
  /** not to be sent again by itself; so is a request whose body is opened by a function */
  readonly once?: boolean;
  /** bytes that the registry has to store before it can answer */
  readonly stores?: number;
  /** rights that the request needs beyond those of its repository, as token scopes */
  readonly scopes?: readonly string[];
  readonly signal?: AbortSignal | undefined;
}

export interface HttpResponse {
  readonly status: number;
  /** where the answer came from, behind all redirects */
  readonly url: URL;
  header(name: string): string | undefined;
  readonly body: Bytes;
  /** Reads the body off, so that the connection can be used again. */
  discard(): Promise<void>;
}

/** Sends one request and gives the answer, whatever its status; throws NetworkError where none came. */
export type Transport = (request: HttpRequest) => Promise<HttpResponse>;

/** Something done around a transport: a retry, a login, a pause. */
export type Layer = (next: Transport) => Transport;

export interface TransportOptions {
  /** false accepts any certificate */
  readonly verify?: boolean;
  /** additional authorities, in PEM */
  readonly ca?: string | undefined;
  /** the client's certificate and key, in PEM */
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  /** how long nothing may come of an answer, in milliseconds */
  readonly idleMs?: number;
}

export interface OpenTransport {
  readonly transport: Transport;
  close(): Promise<void>;
}

const IDLE_MS = 60_000;
// Registries hash and store a large blob after its last byte came, before they answer: five megabytes in a second.
const STORED_PER_MS = 5_000;
const CONNECT_MS = 15_000;
const CONNECTIONS_PER_HOST = 64;

/** Opens a pool of HTTP/1.1 connections; proxies are taken from HTTPS_PROXY, HTTP_PROXY and NO_PROXY. */
export function openTransport(options: TransportOptions): OpenTransport {
  let dispatcher: Dispatcher | undefined;
  const connections = (): Dispatcher => {
    dispatcher ??= dispatcherFor(options);
    return dispatcher;
  };
  return {
    transport: (request) => exchange(request, connections, options),
    // Not close(): it would wait for requests that an interrupted run has given up.
    close: async () => dispatcher?.destroy(),
  };
}

function dispatcherFor({
  verify = true,
  ca,
  cert,
  key,
  idleMs = IDLE_MS,
}: TransportOptions): Dispatcher {
  const own = {
    ...(ca ? { ca: withSystemAuthorities(ca) } : {}),
    ...(cert ? { cert } : {}),
    ...(key ? { key } : {}),
  };
  // Made once: each context holds all authorities again, some four megabytes for each connection otherwise.
  const secureContext = Object.keys(own).length > 0 ? createSecureContext(own) : undefined;
  const tls = { rejectUnauthorized: verify, ...(secureContext ? { secureContext } : {}) };
  const common = {
    connections: CONNECTIONS_PER_HOST,
    bodyTimeout: idleMs,
    allowH2: false,
    connect: connector({ ...tls, timeout: CONNECT_MS }),
  };
  return hasProxy() ? new EnvHttpProxyAgent({ ...common, requestTls: tls }) : new Agent(common);
}

async function exchange(
  request: HttpRequest,
  connections: () => Dispatcher,
  { idleMs = IDLE_MS }: TransportOptions,
): Promise<HttpResponse> {
  const { method, url, headers = {}, signal } = request;
  const body = typeof request.body === 'function' ? await request.body() : request.body;
  try {
    const answer = await ask(
      connections(),
      {
        origin: url.origin,
        path: `${url.pathname}${url.search}`,
        method,
        headers: { 'user-agent': 'kubectl-migrate-images', ...headers },
        headersTimeout: Math.round(idleMs + (request.stores ?? 0) / STORED_PER_MS),
        // undici closes the connection after a HEAD unless told not to.
        reset: false,
        ...(body ? { body: body as never } : {}),
      },
      signal,
    );
    return {
      status: answer.status,
      url,
      header: (name) => single(answer.headers[name]),
      body: guarded(answer.body, url.host, signal),
      discard: () => answer.discard(),
    };
  } catch (cause) {
    signal?.throwIfAborted();
    throw new NetworkError(url.host, cause);
  }
}

// An error in the middle of a body must say whose body it was.
async function* guarded(body: Bytes, host: string, signal: AbortSignal | undefined): Bytes {
  try {
    yield* body;
  } catch (cause) {
    signal?.throwIfAborted();
    throw new NetworkError(host, cause);
  }
}

function single(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value.join(', ') : value;
}

function hasProxy(): boolean {
  const { env } = process;
  return ['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'http_proxy'].some((name) => env[name]);
}

function withSystemAuthorities(ca: string): string[] {
  // Those of NODE_EXTRA_CA_CERTS and --use-system-ca are among them.
  return [...getCACertificates('default'), ca];
}
