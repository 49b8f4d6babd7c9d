import { homedir } from 'node:os';
import { join } from 'node:path';
import { DOCKER_HUB, type RepositoryName } from '../oci/reference.ts';
import { readTextIfThere } from '../text/file.ts';
import { canonicalKey, credentialOf, longestMatch } from './auths.ts';
import { field } from './body.ts';
import type { Credential, CredentialSource, Login } from './credentials.ts';
import { CredentialError } from './errors.ts';

type Environment = Readonly<Record<string, string | undefined>>;
export type AskHelper = (helper: string, server: string) => Promise<Credential | undefined>;

// Under this name docker keeps the login of Docker Hub.
const DOCKER_HUB_SERVER = 'https://index.docker.io/v1/';

/** A credentials file of docker or of the containers tools, as read. */
export interface AuthsFile {
  readonly path: string;
  /** by canonical key */
  readonly auths: ReadonlyMap<string, Credential>;
  /** by canonical key; an empty text means none, not even the store */
  readonly helpers: ReadonlyMap<string, string>;
  readonly store: string | undefined;
}

/**
 * The logins of docker's config.json ($DOCKER_CONFIG, else ~/.docker): `credHelpers`, else `credsStore`,
 * then `auths`.
 *
 * @see https://docs.docker.com/reference/cli/docker/login/#credential-stores
 */
export function dockerConfig(environment: Environment, ask: AskHelper): CredentialSource {
  const folder = environment['DOCKER_CONFIG'] || join(homeOf(environment), '.docker');
  const file = lazily(() => readAuthsFile(join(folder, 'config.json')));
  return async (name) => {
    const config = await file();
    return config && (await loginIn(config, name, { ask, nested: false }));
  };
}

export interface Lookup {
  readonly ask: AskHelper;
  /** whether keys may be longer than a registry: the containers tools allow it, docker does not */
  readonly nested: boolean;
}

/** Looks a repository up in a file, helpers first. */
export async function loginIn(
  file: AuthsFile,
  name: RepositoryName,
  { ask, nested }: Lookup,
): Promise<Login | undefined> {
  const helper = file.helpers.get(name.registry) ?? file.store;
  const held = helper ? await ask(helper, serverOf(name.registry)) : undefined;
  if (held) return { credential: held, origin: `docker-credential-${helper}` };
  const credential = nested ? longestMatch(file.auths, name) : file.auths.get(name.registry);
  return credential && { credential, origin: file.path };
}

/** @throws {CredentialError} the file is not JSON */
export async function readAuthsFile(path: string): Promise<AuthsFile | undefined> {
  const text = await readTextIfThere(path);
  if (text === undefined || text.trim() === '') return undefined;
  const json = parse(text, path);
  const store = field(json, 'credsStore');
  return {
    path,
    store: typeof store === 'string' && store !== '' ? store : undefined,
    helpers: mapOf(field(json, 'credHelpers'), (value) =>
      typeof value === 'string' ? value : undefined,
    ),
    auths: mapOf(field(json, 'auths'), credentialOf),
  };
}

export function homeOf(environment: Environment): string {
  return environment['HOME'] || homedir();
}

/** Reads once, when first asked. */
export function lazily<Value>(read: () => Promise<Value>): () => Promise<Value> {
  let value: Promise<Value> | undefined;
  return () => {
    value ??= read();
    return value;
  };
}

function serverOf(registry: string): string {
  return registry === DOCKER_HUB ? DOCKER_HUB_SERVER : registry;
}

function mapOf<Value>(
  object: unknown,
  read: (value: unknown) => Value | undefined,
): ReadonlyMap<string, Value> {
  const values = new Map<string, Value>();
  if (typeof object !== 'object' || object === null) return values;
  for (const [key, entry] of Object.entries(object)) {
    const canonical = canonicalKey(key);
    const value = read(entry);
    // docker's own spelling of a registry wins, else the first.
    const better = key === serverOf(canonical) || !values.has(canonical);
    if (value !== undefined && better) values.set(canonical, value);
  }
  return values;
}

function parse(text: string, path: string): unknown {
  try {
    return JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch {
    // JSON.parse quotes the text, which may hold passwords.
    throw new CredentialError(`${path} is not valid JSON; mend or remove it`);
  }
}
