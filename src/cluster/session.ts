import type { AgentOptions, RequestOptions } from 'node:https';
import type { KubeConfig } from '@kubernetes/client-node';
import type { buildConnector, Dispatcher } from 'undici';
import { ClusterError } from './errors.ts';
import type { Access } from './kubeconfig.ts';
import type { Identity } from './login.ts';

// As many as lists are read side by side.
const MAXIMUM_CONNECTIONS = 4;

type DispatcherOptions = ReturnType<KubeConfig['createDispatcherOptions']>;

/** Headers and a pool of kept-alive connections that make us who we are to the server. */
export interface Session {
  readonly identity: Identity;
  readonly headers: Readonly<Record<string, string | string[]>>;
  readonly dispatcher: Dispatcher;
}

/**
 * Makes a session: the client library turns the kubeconfig's TLS, proxy and login entries into options and
 * headers, of which we make one dispatcher for all requests. Its own would connect anew for each of them.
 *
 * @param proxy - chosen already, since the library does not read the environment
 * @throws {ClusterError} a certificate or key cannot be read
 */
export async function openSession(
  access: Access,
  identity: Identity,
  proxy: string | undefined,
): Promise<Session> {
  const { KubeConfig } = await import('@kubernetes/client-node');
  const kubeConfig = new KubeConfig();
  kubeConfig.loadFromOptions({
    clusters: [libraryCluster(access, proxy)],
    users: [libraryUser(access, identity)],
    contexts: [{ name: 'context', cluster: 'cluster', user: 'user' }],
    currentContext: 'context',
  });
  const options: RequestOptions & AgentOptions = {};
  try {
    await kubeConfig.applyToHTTPSOptions(options);
    const cluster = kubeConfig.getCurrentCluster();
    const dispatcher = await dispatcherOf(kubeConfig.createDispatcherOptions(cluster, options));
    return { identity, headers: { ...headersOf(options), ...impersonation(access) }, dispatcher };
  } catch (cause) {
    if (cause instanceof ClusterError) throw cause;
    throw new ClusterError(
      'configuration',
      `cannot use the login of user "${access.userName}": ${reasonOf(cause)}`,
      { context: access.context, hint: 'Try "kubectl get namespaces" with the same flags.', cause },
    );
  }
}

/**
 * HTTP/2 is left out: API servers end its connections with GOAWAY, after a refused login and now and then to
 * balance their load, and undici then fails the requests that are under way.
 */
async function dispatcherOf(options: DispatcherOptions): Promise<Dispatcher> {
  const { Agent, ProxyAgent } = await import('undici');
  const pool = { allowH2: false, connections: MAXIMUM_CONNECTIONS };
  if (options.type === 'none') return new Agent(pool);
  // The same options of Node's tls on both sides, typed apart: one side allows undefined.
  if (options.type === 'agent') {
    const connect = options.connect as Partial<buildConnector.BuildOptions>;
    return new Agent({ ...pool, connect });
  }
  const requestTls = options.requestTls as buildConnector.BuildOptions;
  return new ProxyAgent({ ...pool, uri: options.uri, requestTls });
}

function headersOf({ headers = {}, auth }: RequestOptions): Record<string, string> {
  const basic = auth ? { authorization: `Basic ${base64(auth)}` } : {};
  const entries = Object.entries(headers).map(([key, value]) => [key.toLowerCase(), `${value}`]);
  return { ...basic, ...Object.fromEntries(entries) };
}

function libraryCluster({ cluster }: Access, proxy: string | undefined): object {
  const { server, certificateAuthorityData } = cluster;
  const isPlain = server.startsWith('http:');
  return {
    name: 'cluster',
    server,
    // The library refuses a server without TLS, as `kubectl proxy` is one, unless checks are off.
    skipTLSVerify: cluster.skipTlsVerify || isPlain,
    caData: certificateAuthorityData,
    // Where both are given the library takes the file, and client-go the data.
    caFile: certificateAuthorityData ? undefined : cluster.certificateAuthority,
    tlsServerName: cluster.tlsServerName,
    proxyUrl: proxy,
  };
}

/** Impersonation is left out: the library knows `as` alone, which would ask as another user than kubectl. */
function libraryUser({ user, cluster }: Access, identity: Identity): object {
  if (cluster.server.startsWith('http:')) return { name: 'user' };
  const certificate = identity.certificate ? base64(identity.certificate) : undefined;
  const certData = certificate ?? user.clientCertificateData;
  const keyData = identity.key ? base64(identity.key) : user.clientKeyData;
  return {
    name: 'user',
    certData,
    certFile: certData ? undefined : user.clientCertificate,
    keyData,
    keyFile: keyData ? undefined : user.clientKey,
    token: identity.token,
    username: user.username,
    password: user.password,
    authProvider: user.authProvider,
  };
}

/**
 * @throws {ClusterError} groups or the like are given, but nobody to be
 * @see https://kubernetes.io/docs/reference/access-authn-authz/user-impersonation/
 */
function impersonation({ user, context }: Access): Record<string, string | string[]> {
  const { as, asUid, asGroups = [], asUserExtra = {} } = user;
  const extra = Object.entries(asUserExtra);
  if (as === undefined && (asUid || asGroups.length > 0 || extra.length > 0))
    throw new ClusterError('configuration', 'groups are given to act as, but no user', {
      context,
      hint: 'Name the user with --as.',
    });
  if (as === undefined) return {};
  return {
    'impersonate-user': as,
    ...(asUid ? { 'impersonate-uid': asUid } : {}),
    ...(asGroups.length > 0 ? { 'impersonate-group': [...asGroups] } : {}),
    ...Object.fromEntries(
      extra.map(([key, values]) => [`impersonate-extra-${escapeKey(key)}`, [...values]]),
    ),
  };
}

/** Percent-encoded like a part of a URL, and the two characters more that no header name may hold. */
function escapeKey(key: string): string {
  return encodeURIComponent(key.toLowerCase()).replace(/[()]/g, (mark) =>
    mark === '(' ? '%28' : '%29',
  );
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

// Never the whole error: OpenSSL's own texts are safe, but a library's may quote what it was given.
function reasonOf(cause: unknown): string {
  const { code, path } = cause as NodeJS.ErrnoException;
  if (code === 'ENOENT') return `${path} does not exist`;
  return code ?? 'its certificate, key or login entry cannot be read';
}
