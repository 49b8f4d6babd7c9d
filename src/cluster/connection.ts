import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import type { Dispatcher } from 'undici';
import { printable } from '../text/printable.ts';
import type { Environment } from './environment.ts';
import { ClusterError } from './errors.ts';
import { fieldsAt, textAt } from './fields.ts';
import { type Access, ofContext } from './kubeconfig.ts';
import { type Identity, loginOf } from './login.ts';
import { proxyOf } from './proxy.ts';
import { isWorthAnotherTry, type Reply, unreachable, waitMs } from './retry.ts';
import { openSession, type Session } from './session.ts';

/** One API server, asked as one user over one pool of connections. */
export interface Connection {
  /**
   * Asks for a path below the server's address. A busy server is waited for, a refused login renewed once;
   * any other status is an answer.
   *
   * @throws {ClusterError} unreachable, unauthorized, or a login that cannot be used
   */
  get(path: string, signal?: AbortSignal): Promise<Reply>;
  /** Waits for what is under way. */
  close(): Promise<void>;
}

export interface ConnectionOptions {
  readonly environment: Environment;
  /** for one request */
  readonly timeoutMs?: number | undefined;
  /** ends login programs that are still waiting */
  readonly signal?: AbortSignal | undefined;
}

interface Opened {
  readonly identity: Identity;
  readonly session: Promise<Session>;
}

const unzip = promisify(gunzip);

export function openConnection(access: Access, options: ConnectionOptions): Connection {
  const { environment, timeoutMs } = options;
  const login = loginOf(access, environment, options.signal);
  const proxy = proxyOf(access, environment);
  // Replaced sessions stay open until the end: other requests may just be about to use them.
  const all: Promise<Session>[] = [];
  let current: Opened | undefined;

  // Nothing is awaited between the look and the change, so that requests side by side share one session.
  const opened = async (rejected?: Opened): Promise<Opened> => {
    const identity = await login(rejected?.identity);
    if (current && current !== rejected && current.identity === identity) return current;
    current = { identity, session: openSession(access, identity, proxy) };
    all.push(current.session);
    return current;
  };

  const get = async (path: string, signal?: AbortSignal): Promise<Reply> => {
    let rejected: Opened | undefined;
    for (let attempt = 1; ; attempt += 1) {
      const used = await opened(rejected);
      const session = await used.session;
      const limit = timeoutMs === undefined ? [] : [AbortSignal.timeout(timeoutMs)];
      const signals = AbortSignal.any(signal ? [signal, ...limit] : limit);
      const reply = await send(access, session, path, signals).catch((error: Error) => error);
      signal?.throwIfAborted();
      if (!(reply instanceof Error) && reply.status === 401) {
        if (rejected) throw unauthorized(access, reply);
        rejected = used;
      } else if (isWorthAnotherTry(reply, attempt)) {
        await delay(waitMs(reply, attempt), undefined, signal ? { signal } : {});
      } else if (reply instanceof Error) {
        throw unreachable(reply, access, timeoutMs);
      } else {
        return reply;
      }
    }
  };

  const close = async () => {
    const sessions = await Promise.allSettled(all);
    for (const session of sessions)
      if (session.status === 'fulfilled') await session.value.dispatcher.close();
  };

  return { get, close };
}

async function send(
  { cluster }: Access,
  { dispatcher, headers }: Session,
  path: string,
  signal: AbortSignal,
): Promise<Reply> {
  const server = new URL(cluster.server);
  const response = await dispatcher.request({
    origin: server.origin,
    // Rancher and other gateways serve many clusters, each below a path of its own.
    path: `${server.pathname.replace(/\/$/, '')}${path}`,
    method: 'GET',
    headers: {
      ...headers,
      accept: 'application/json',
      'user-agent': 'kubectl-migrate-images',
      ...(cluster.disableCompression ? {} : { 'accept-encoding': 'gzip' }),
    },
    signal,
  });
  return {
    status: response.statusCode,
    headers: response.headers,
    body: await bodyOf(response),
  };
}

async function bodyOf({ body, headers }: Dispatcher.ResponseData): Promise<unknown> {
  const received = Buffer.from(await body.arrayBuffer());
  const bytes = headers['content-encoding'] === 'gzip' ? await unzip(received) : received;
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    return undefined;
  }
}

function unauthorized(access: Access, { body }: Reply): ClusterError {
  const { context, cluster, userName } = access;
  const said = printable(textAt(fieldsAt(body), 'message') ?? 'unauthorized');
  return new ClusterError(
    'unauthorized',
    `${cluster.server}${ofContext(access)} refused the login of user "${userName}": ${said}`,
    { context, hint: 'Log in again; "kubectl get namespaces" has to work with the same flags.' },
  );
}
