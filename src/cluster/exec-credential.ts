import { readFile } from 'node:fs/promises';
import type { Environment } from './environment.ts';
import { ClusterError } from './errors.ts';
import { fieldsAt, isFields, textAt } from './fields.ts';
import type { Access } from './kubeconfig.ts';
import type { ClusterEntry, ExecEntry } from './kubeconfig-entries.ts';

/** What a login program gave. */
export interface ExecCredential {
  readonly token?: string | undefined;
  /** PEM */
  readonly certificate?: string | undefined;
  /** PEM */
  readonly key?: string | undefined;
  /** milliseconds since 1970; without it the credential is good until the server refuses it */
  readonly expires?: number | undefined;
}

const API_VERSIONS = ['client.authentication.k8s.io/v1', 'client.authentication.k8s.io/v1beta1'];
const MAXIMUM_OUTPUT_CHARACTERS = 1024 * 1024;

/**
 * Runs the login program of a kubeconfig. What it writes to standard error is shown, and it may ask on the
 * terminal where its `interactiveMode` says so.
 *
 * @throws {ClusterError} it cannot be run, fails, or answers something else than a credential
 * @see https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins
 */
export async function runLoginProgram(
  exec: ExecEntry,
  access: Access,
  environment: Environment,
  signal?: AbortSignal,
): Promise<ExecCredential> {
  const fail = (reason: string, cause?: unknown) => {
    const message = `the login program "${exec.command}" of user "${access.userName}" ${reason}`;
    const hint = exec.installHint ?? 'Run it by hand to see what it says.';
    return new ClusterError('configuration', message, { context: access.context, hint, cause });
  };
  if (!API_VERSIONS.includes(exec.apiVersion))
    throw fail(`is set up for "${exec.apiVersion}"; expected ${API_VERSIONS.join(' or ')}`);
  const interactive = isInteractive(exec, fail);
  const information = {
    apiVersion: exec.apiVersion,
    kind: 'ExecCredential',
    spec: {
      interactive,
      ...(exec.provideClusterInfo ? { cluster: await clusterInformation(access.cluster) } : {}),
    },
  };
  const { execa } = await import('execa');
  const result = await execa(exec.command, [...exec.parameters], {
    env: {
      ...environment,
      ...exec.environment,
      KUBERNETES_EXEC_INFO: JSON.stringify(information),
    },
    extendEnv: false,
    stdin: interactive ? 'inherit' : 'ignore',
    stderr: 'inherit',
    maxBuffer: MAXIMUM_OUTPUT_CHARACTERS,
    reject: false,
    ...(signal ? { cancelSignal: signal } : {}),
  });
  signal?.throwIfAborted();
  if (result.code === 'ENOENT') throw fail('is not installed');
  // The program's output is left out on purpose: it may hold a token.
  if (result.failed) throw fail(`failed with ${result.code ?? `exit code ${result.exitCode}`}`);
  return credentialOf(result.stdout, exec.apiVersion, fail);
}

type Fail = (reason: string, cause?: unknown) => ClusterError;

function isInteractive({ interactiveMode, apiVersion }: ExecEntry, fail: Fail): boolean {
  // v1 made the field compulsory; v1beta1 has always meant "ask if you can".
  const mode = interactiveMode ?? (apiVersion.endsWith('/v1') ? '' : 'IfAvailable');
  const terminal = process.stdin.isTTY === true;
  if (mode === 'Never') return false;
  if (mode === 'IfAvailable') return terminal;
  if (mode !== 'Always')
    throw fail(
      `needs an interactiveMode in the kubeconfig: Never, IfAvailable or Always, not "${mode}"`,
    );
  if (!terminal) throw fail('has to ask something, and standard input is not a terminal');
  return true;
}

/** `spec.cluster` of an ExecCredential. */
async function clusterInformation(cluster: ClusterEntry): Promise<object> {
  const { certificateAuthority, certificateAuthorityData } = cluster;
  const authority =
    certificateAuthorityData ??
    (certificateAuthority ? await readFile(certificateAuthority, 'base64') : undefined);
  return {
    server: cluster.server,
    'tls-server-name': cluster.tlsServerName,
    'insecure-skip-tls-verify': cluster.skipTlsVerify || undefined,
    'certificate-authority-data': authority,
    'proxy-url': cluster.proxyUrl,
    'disable-compression': cluster.disableCompression || undefined,
    config: cluster.execConfiguration,
  };
}

function credentialOf(output: string, apiVersion: string, fail: Fail): ExecCredential {
  const answer = parse(output);
  if (answer === undefined) throw fail('answered something that is not JSON');
  const fields = fieldsAt(answer);
  if (fields['kind'] !== 'ExecCredential' || fields['apiVersion'] !== apiVersion)
    throw fail(`did not answer with an ExecCredential of ${apiVersion}`);
  if (!isFields(fields['status'])) throw fail('answered without a status');
  const status = fields['status'];
  const token = textAt(status, 'token');
  const certificate = textAt(status, 'clientCertificateData');
  const key = textAt(status, 'clientKeyData');
  if (!token && !certificate && !key) throw fail('answered with neither token nor certificate');
  if (!certificate !== !key) throw fail('answered with only one of certificate and key');
  const expires = Date.parse(textAt(status, 'expirationTimestamp') ?? '');
  return { token, certificate, key, expires: Number.isNaN(expires) ? undefined : expires };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
