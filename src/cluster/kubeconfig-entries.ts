import { isAbsolute, resolve, sep } from 'node:path';
import { ClusterError } from './errors.ts';
import { type Fields, fieldsAt, isFields, listAt, textAt } from './fields.ts';

/** `clusters[].cluster`, with absolute paths. */
export interface ClusterEntry {
  readonly server: string;
  readonly tlsServerName?: string | undefined;
  readonly skipTlsVerify: boolean;
  readonly certificateAuthority?: string | undefined;
  /** base64 of PEM; outranks the file */
  readonly certificateAuthorityData?: string | undefined;
  readonly proxyUrl?: string | undefined;
  readonly disableCompression: boolean;
  /** what the cluster has to say to a login program */
  readonly execConfiguration?: unknown;
}

/** `users[].user`, with absolute paths. */
export interface UserEntry {
  readonly clientCertificate?: string | undefined;
  readonly clientCertificateData?: string | undefined;
  readonly clientKey?: string | undefined;
  readonly clientKeyData?: string | undefined;
  readonly token?: string | undefined;
  readonly tokenFile?: string | undefined;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly as?: string | undefined;
  readonly asUid?: string | undefined;
  readonly asGroups?: readonly string[] | undefined;
  readonly asUserExtra?: Readonly<Record<string, readonly string[]>> | undefined;
  readonly exec?: ExecEntry | undefined;
  /** passed on to the client library as it is */
  readonly authProvider?: Fields | undefined;
}

/** `users[].user.exec`: a login program. */
export interface ExecEntry {
  readonly apiVersion: string;
  readonly command: string;
  readonly parameters: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly installHint?: string | undefined;
  readonly provideClusterInfo: boolean;
  readonly interactiveMode?: string | undefined;
}

export interface ContextEntry {
  readonly cluster: string;
  readonly user: string;
  readonly namespace?: string | undefined;
}

const EXEC_EXTENSION = 'client.authentication.k8s.io/exec';

/**
 * @param folder - relative paths start here
 * @see https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/#Cluster
 */
export function clusterEntry(fields: Fields, folder: string): ClusterEntry {
  const extension = listAt(fields, 'extensions').find(
    (item) => fieldsAt(item)['name'] === EXEC_EXTENSION,
  );
  return {
    server: quotedAt(fields, 'server') ?? '',
    tlsServerName: quotedAt(fields, 'tls-server-name'),
    skipTlsVerify: fields['insecure-skip-tls-verify'] === true,
    certificateAuthority: pathAt(fields, 'certificate-authority', folder),
    certificateAuthorityData: quotedAt(fields, 'certificate-authority-data'),
    proxyUrl: quotedAt(fields, 'proxy-url'),
    disableCompression: fields['disable-compression'] === true,
    execConfiguration: fieldsAt(extension)['extension'],
  };
}

/** @see https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/#AuthInfo */
export function userEntry(fields: Fields, folder: string): UserEntry {
  const { exec } = fields;
  const provider = fields['auth-provider'];
  return {
    clientCertificate: pathAt(fields, 'client-certificate', folder),
    clientCertificateData: quotedAt(fields, 'client-certificate-data'),
    clientKey: pathAt(fields, 'client-key', folder),
    clientKeyData: quotedAt(fields, 'client-key-data'),
    token: quotedAt(fields, 'token'),
    tokenFile: pathAt(fields, 'tokenFile', folder),
    username: quotedAt(fields, 'username'),
    password: quotedAt(fields, 'password'),
    as: quotedAt(fields, 'as'),
    asUid: quotedAt(fields, 'as-uid'),
    asGroups: texts(fields['as-groups']),
    asUserExtra: isFields(fields['as-user-extra']) ? lists(fields['as-user-extra']) : undefined,
    exec: isFields(exec) ? execEntry(exec, folder) : undefined,
    authProvider: isFields(provider) ? provider : undefined,
  };
}

/** @see https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/#Context */
export function contextEntry(fields: Fields): ContextEntry {
  return {
    cluster: quotedAt(fields, 'cluster') ?? '',
    user: quotedAt(fields, 'user') ?? '',
    namespace: quotedAt(fields, 'namespace'),
  };
}

function execEntry(fields: Fields, folder: string): ExecEntry {
  const command = quotedAt(fields, 'command') ?? '';
  const variables = listAt(fields, 'env').map((item) => fieldsAt(item));
  return {
    apiVersion: quotedAt(fields, 'apiVersion') ?? '',
    // A bare name is looked for on the PATH, as in a shell.
    command: command.includes('/') || command.includes(sep) ? resolve(folder, command) : command,
    parameters: texts(fields['args']),
    environment: Object.fromEntries(
      variables.map((variable) => [
        quotedAt(variable, 'name') ?? '',
        quotedAt(variable, 'value') ?? '',
      ]),
    ),
    installHint: quotedAt(fields, 'installHint'),
    provideClusterInfo: fields['provideClusterInfo'] === true,
    interactiveMode: quotedAt(fields, 'interactiveMode'),
  };
}

function pathAt(fields: Fields, key: string, folder: string): string | undefined {
  const path = quotedAt(fields, key);
  return path === undefined || isAbsolute(path) ? path : resolve(folder, path);
}

/** @throws {ClusterError} YAML made something else of it, as it does with a password of digits */
function quotedAt(fields: Fields, key: string): string | undefined {
  const value = fields[key] ?? '';
  if (typeof value === 'string') return textAt(fields, key);
  throw new ClusterError('configuration', `"${key}" in the kubeconfig is not a text`, {
    hint: 'Put its value in quotes.',
  });
}

function texts(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}

function lists(fields: Fields): Readonly<Record<string, readonly string[]>> {
  return Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, texts(value)]));
}
