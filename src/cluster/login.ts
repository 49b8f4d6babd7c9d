import { readFile } from 'node:fs/promises';
import { systemReason } from '../text/file.ts';
import type { Environment } from './environment.ts';
import { ClusterError } from './errors.ts';
import { type ExecCredential, runLoginProgram } from './exec-credential.ts';
import type { Access } from './kubeconfig.ts';
import type { ExecEntry } from './kubeconfig-entries.ts';

/** The part of a login that changes while we run. The same object is given as long as nothing changed. */
export interface Identity {
  readonly token?: string | undefined;
  /** PEM */
  readonly certificate?: string | undefined;
  /** PEM */
  readonly key?: string | undefined;
}

/**
 * Gives the identity to use now.
 *
 * @param rejected - the identity that the server refused: another one is needed if there is any
 */
export type Login = (rejected?: Identity) => Promise<Identity>;

/**
 * How a user of a kubeconfig logs in, in client-go's order: a token file before a token, and the login
 * program only where nothing else is given.
 */
export function loginOf(access: Access, environment: Environment, signal?: AbortSignal): Login {
  const { user, cluster } = access;
  // client-go reads no credentials at all for a server without TLS: they would travel in the clear.
  if (!cluster.server.startsWith('https:')) return constant({});
  if (user.tokenFile) return fromTokenFile(user.tokenFile, access);
  if (user.token) return constant({ token: user.token });
  if (user.username || user.password || user.clientCertificate || user.clientCertificateData)
    return constant({});
  if (user.exec) return fromLoginProgram(user.exec, access, environment, signal);
  return constant({});
}

function constant(identity: Identity): Login {
  return async () => identity;
}

/** Read for every request: service account tokens are renewed in place every hour. */
function fromTokenFile(path: string, access: Access): Login {
  let last: Identity = {};
  return async () => {
    const text = await readFile(path, 'utf8').catch((cause: unknown) => {
      if (access.user.token) return access.user.token;
      throw new ClusterError(
        'configuration',
        `cannot read the token file ${path} of user "${access.userName}": ${systemReason(cause)}`,
        { context: access.context, cause },
      );
    });
    const token = text.trim();
    if (token !== last.token) last = { token };
    return last;
  };
}

/** Runs the program once for all who wait, since it may open a browser, and again when its answer expires. */
function fromLoginProgram(
  exec: ExecEntry,
  access: Access,
  environment: Environment,
  signal: AbortSignal | undefined,
): Login {
  let running: Promise<ExecCredential> | undefined;
  let last: ExecCredential | undefined;
  return async (rejected) => {
    if (last && last !== rejected && Date.now() < (last.expires ?? Number.POSITIVE_INFINITY))
      return last;
    running ??= runLoginProgram(exec, access, environment, signal).finally(() => {
      running = undefined;
    });
    last = await running;
    return last;
  };
}
