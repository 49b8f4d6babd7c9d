import { canonicalRegistry, formatName, type RepositoryName } from '../oci/reference.ts';
import { field } from './body.ts';
import { type Credential, passwordOrToken } from './credentials.ts';

/**
 * What a key of any credentials file means: its registry (Docker Hub under one name) and path, without
 * scheme, API version and trailing slash. `https://index.docker.io/v1/` is `docker.io`.
 */
export function canonicalKey(key: string): string {
  const text = key.trim();
  const named = text.replace(/^https?:\/\//i, '').replace(/\/+$/, '');
  // Without scheme or closing slash `host/v2` is a namespace of this name.
  const bare = /^https?:|\/$/i.test(text) ? named.replace(/\/v[12]$/, '') : named;
  const slash = bare.indexOf('/');
  if (slash < 0) return canonicalRegistry(bare);
  return `${canonicalRegistry(bare.slice(0, slash))}${bare.slice(slash)}`;
}

/** `registry/a/b`, `registry/a`, `registry`: what may name a repository, the longest first. */
export function prefixesOf(name: RepositoryName): readonly string[] {
  const segments = formatName(name).split('/');
  return segments.map((_, index) => segments.slice(0, segments.length - index).join('/'));
}

/** The value whose key is the longest path prefix of a repository. */
export function longestMatch<Value>(
  values: ReadonlyMap<string, Value>,
  name: RepositoryName,
): Value | undefined {
  const key = prefixesOf(name).find((prefix) => values.has(prefix));
  return key === undefined ? undefined : values.get(key);
}

/**
 * Reads an entry below `auths` of docker's or containers' file. An entry without a login is undefined: docker
 * leaves an empty one behind where a helper holds the secret.
 */
export function credentialOf(entry: unknown): Credential | undefined {
  const token = field(entry, 'identitytoken');
  if (typeof token === 'string' && token !== '') return { kind: 'identity-token', token };
  const [username, password] = decoded(field(entry, 'auth')) ?? [
    field(entry, 'username'),
    field(entry, 'password'),
  ];
  if (typeof username !== 'string' || typeof password !== 'string' || username === '')
    return undefined;
  return passwordOrToken(username, password);
}

function decoded(auth: unknown): readonly [string, string] | undefined {
  if (typeof auth !== 'string' || auth === '') return undefined;
  const text = Buffer.from(auth, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  // docker's own files may end in NUL characters.
  return colon < 1 ? undefined : [text.slice(0, colon), text.slice(colon + 1).replace(/\0+$/, '')];
}
