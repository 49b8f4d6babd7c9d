import type { Dispatcher } from 'undici';
import { ClusterError } from './errors.ts';
import type { Access } from './kubeconfig.ts';
import type { UserEntry } from './kubeconfig-entries.ts';
import type { Identity } from './login.ts';

/** Headers and a pool of kept-alive connections that make us who we are to the server. */
export interface Session {
  readonly identity: Identity;
  readonly headers: Readonly<Record<string, string | string[]>>;
  readonly dispatcher: Dispatcher;
}

/**
 * Makes a session: the client library turns the kubeconfig's TLS, proxy and login entries into headers and
 * a dispatcher, once; used for every request, the dispatcher keeps its connections.
 *
 * @param proxy - used where the kubeconfig names none; the library does not read the environment
 * @throws {ClusterError} a certificate or key cannot be read
 */
export async function openSession(
  access: Access,
  identity: Identity,
  proxy: string | undefined,
): Promise<Session> {
  const { KubeConfig, RequestContext } = await import('@kubernetes/client-node');
  const kubeConfig = new KubeConfig();
  kubeConfig.loadFromOptions({
    clusters: [libraryCluster(access, proxy)],
    users: [libraryUser(access, identity)],
    contexts: [{ name: 'context', cluster: 'cluster', user: 'user' }],
    currentContext: 'context',
  });
  const request = new RequestContext(access.cluster.server, 'GET');
  try {
    await kubeConfig.applySecurityAuthentication(request);
  } catch (cause) {
    throw new ClusterError(
      'configuration',
      `cannot use the login of user "${access.userName}": ${reasonOf(cause)}`,
      { context: access.context, hint: 'Try "kubectl get namespaces" with the same flags.', cause },
    );
  }
  return {
    identity,
    headers: { ...request.getHeaders(), ...impersonation(access) },
    dispatcher: request.getDispatcher() ?? (await plainDispatcher()),
  };
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
    proxyUrl: cluster.proxyUrl ?? proxy,
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
  const { as, asUid, asGroups = [], asUserExtra = {} } = user as UserEntry;
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
      extra.map(([key, values]) => [`impersonate-extra-${encodeURIComponent(key)}`, [...values]]),
    ),
  };
}

/** For a server that needs nothing special; the library leaves it to the runtime then. */
async function plainDispatcher(): Promise<Dispatcher> {
  const { Agent } = await import('undici');
  return new Agent();
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
