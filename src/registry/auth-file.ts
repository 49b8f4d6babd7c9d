import type { RepositoryName } from '../oci/reference.ts';
import { parseMap } from '../text/document.ts';
import { DocumentError } from '../text/errors.ts';
import type { Entry, Node } from '../text/node.ts';
import { positionsOf } from '../text/position.ts';
import { canonicalKey, longestMatch } from './auths.ts';
import type { Credential, CredentialSource, Login } from './credentials.ts';
import { isSealed, type SealPlace, unseal } from './seal.ts';
import { swrLogin } from './swr-login.ts';

/** One registry, or a path below one, of auth.json; every value is open by now. */
export interface AuthEntry {
  readonly credential?: Credential;
  /** no login is wanted: the entry is empty, or its user name is */
  readonly anonymous: boolean;
  readonly insecure: boolean;
  /** paths of PEM files, as written */
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

/** Entries by canonical key: `docker.io`, `swr.example.com/team`. */
export type AuthFile = ReadonlyMap<string, AuthEntry>;

export interface OpenValues {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** the key of sealed values, if there is one */
  readonly sealKey: Uint8Array | undefined;
}

export const EXPECTED_IN_AUTH_FILE = 'a map of registries to logins';

/** The fields that log in: what they hold is for nobody else. */
export const LOGIN_FIELDS = [
  'username',
  'password',
  'identityToken',
  'accessKey',
  'secretKey',
] as const;
const TEXT_FIELDS = [...LOGIN_FIELDS, 'ca', 'cert', 'key'] as const;
type TextField = (typeof TEXT_FIELDS)[number];
const REFERENCE = /^\$(?:([A-Za-z_]\w*)|\{([A-Za-z_]\w*)\})$/;
const KNOWN_FIELDS: readonly string[] = [...TEXT_FIELDS, 'insecure'];

/**
 * Reads auth.json: `{"registry[/path]": {"username", "password", "insecure", ...}}`, as JSON or YAML.
 *
 * A value that is wholly `$NAME` or `${NAME}` is taken from the environment; any other `$` is literal.
 *
 * @throws {DocumentError} broken, an unknown field, a variable that is not set, a sealed value that does not open
 */
export function parseAuthFile(text: string, file: string, values: OpenValues): AuthFile {
  const root = parseMap(text, file, EXPECTED_IN_AUTH_FILE);
  const position = positionsOf(text);
  const fail: Fail = (at, reason) => {
    throw new DocumentError(file, position(at), reason);
  };
  const entries = new Map<string, AuthEntry>();
  for (const entry of root.entries) {
    const key = canonicalKey(entry.key);
    if (entries.has(key)) fail(entry.keyStart, `"${entry.key}" is a second entry for ${key}`);
    entries.set(key, entryOf(entry, values, fail));
  }
  return entries;
}

/**
 * The logins of an auth.json. An empty entry means anonymous, and ends the search; one that only says how to
 * speak to a registry (`insecure`, `ca`) leaves the login to others.
 */
export function loginsOf(file: AuthFile, origin: string): CredentialSource {
  return async (name): Promise<Login | undefined> => {
    const entry = longestMatch(file, name);
    if (entry?.credential) return { origin, credential: entry.credential };
    return entry?.anonymous ? { origin } : undefined;
  };
}

/** The entry that speaks for a repository, by the longest path prefix. */
export function entryFor(file: AuthFile, name: RepositoryName): AuthEntry | undefined {
  return longestMatch(file, name);
}

type Fail = (at: number, reason: string) => never;

function entryOf({ key, value }: Entry, values: OpenValues, fail: Fail): AuthEntry {
  if (value.kind !== 'map') {
    if (value.kind === 'scalar' && value.value === null)
      return { anonymous: true, insecure: false };
    return fail(
      value.start,
      `the entry of "${key}" must be a map such as {"username": "...", "password": "..."}`,
    );
  }
  const texts = new Map<TextField, string>();
  let insecure = false;
  for (const { key: field, keyStart, value: node } of value.entries) {
    if (!KNOWN_FIELDS.includes(field))
      fail(keyStart, `"${field}" of "${key}" is not known; known are ${KNOWN_FIELDS.join(', ')}`);
    if (field === 'insecure') insecure = flagOf(node, key, fail);
    else texts.set(field as TextField, opened(node, { registry: key, field }, values, fail));
  }
  const credential = credentialIn(texts, key, value.start, fail);
  const {
    ca,
    cert,
    key: clientKey,
  } = Object.fromEntries(texts) as Partial<Record<TextField, string>>;
  const mentionsLogin = LOGIN_FIELDS.some((field) => texts.has(field));
  return {
    insecure,
    anonymous: value.entries.length === 0 || (mentionsLogin && !credential),
    ...(credential ? { credential } : {}),
    ...(ca ? { ca } : {}),
    ...(cert ? { cert } : {}),
    ...(clientKey ? { key: clientKey } : {}),
  };
}

function flagOf(node: Node, key: string, fail: Fail): boolean {
  if (node.kind === 'scalar' && typeof node.value === 'boolean') return node.value;
  return fail(node.start, `"insecure" of "${key}" must be true or false`);
}

function opened(node: Node, place: SealPlace, values: OpenValues, fail: Fail): string {
  const { registry, field } = place;
  if (node.kind !== 'scalar') return fail(node.start, `"${field}" of "${registry}" must be a text`);
  const text = node.value === null ? '' : node.text;
  const variable = variableIn(text);
  if (variable !== undefined)
    return (
      held(values.environment, variable) ??
      fail(
        node.start,
        `"${field}" of "${registry}" names the environment variable ${variable}, which is not set`,
      )
    );
  if (!isSealed(text)) return text;
  const secret = values.sealKey && unseal(text, place, values.sealKey);
  return secret ?? fail(node.start, unopened(place));
}

/** What is said of a sealed value that does not open. */
export function unopened({ registry, field }: SealPlace): string {
  return `"${field}" of "${registry}" is encrypted and cannot be opened here; put the plain value in its place`;
}

// Not the environment's prototype: it has values of its own, such as `constructor`.
function held(environment: OpenValues['environment'], variable: string): string | undefined {
  return Object.hasOwn(environment, variable) ? environment[variable] : undefined;
}

/** The variable that a value wholly refers to, as `$NAME` or `${NAME}`. */
export function variableIn(text: string): string | undefined {
  const [, plain, braced] = REFERENCE.exec(text) ?? [];
  return plain ?? braced;
}

function credentialIn(
  texts: ReadonlyMap<TextField, string>,
  key: string,
  at: number,
  fail: Fail,
): Credential | undefined {
  const [username, password] = pair(texts, 'username', 'password', key, at, fail);
  if (username) return { kind: 'password', username, password };
  const token = texts.get('identityToken');
  if (token) return { kind: 'identity-token', token };
  const [accessKey, secretKey] = pair(texts, 'accessKey', 'secretKey', key, at, fail);
  if (!accessKey) return undefined;
  return (
    swrLogin(canonicalKey(key), accessKey, secretKey) ??
    fail(at, `"accessKey" of "${key}" needs a host such as swr.REGION.myhuaweicloud.com`)
  );
}

function pair(
  texts: ReadonlyMap<TextField, string>,
  first: TextField,
  second: TextField,
  key: string,
  at: number,
  fail: Fail,
): readonly [string, string] {
  const values = [texts.get(first) ?? '', texts.get(second) ?? ''] as const;
  if ((values[0] === '') === (values[1] === '')) return values;
  const [there, missing] = values[0] === '' ? [second, first] : [first, second];
  return fail(at, `"${key}" has a ${there} but no ${missing}`);
}
