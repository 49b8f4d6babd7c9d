import { dirname, join, resolve } from 'node:path';
import type { RepositoryName } from '../oci/reference.ts';
import {
  type AuthEntry,
  type AuthFile,
  entryFor,
  loginsOf,
  parseAuthFile,
} from '../registry/auth-file.ts';
import { guardAuthFile } from '../registry/auth-guard.ts';
import { hasSecrets } from '../registry/auth-seal.ts';
import { containersAuth } from '../registry/containers-auth.ts';
import { firstOf, type Login } from '../registry/credentials.ts';
import { dockerConfig } from '../registry/docker-config.ts';
import { rememberedHelpers } from '../registry/docker-helper.ts';
import type { RegistrySettings } from '../registry/registry.ts';
import { SEAL_PREFIX } from '../registry/seal.ts';
import { sealFile } from '../registry/seal-file.ts';
import { findSealKey, SEAL_KEY_VARIABLE, type SealKeyPlace } from '../registry/seal-key.ts';
import { isRegularFile, readText, readTextIfThere } from '../text/file.ts';

export const DEFAULT_AUTH_PATH = './auth.json';
const SEAL_KEY_FILE = 'auth.key';

export interface LoginsOptions {
  /** the named auth.json; the default one may be missing */
  readonly path: string | undefined;
  readonly environment: NodeJS.ProcessEnv;
  /** where the key of sealed logins is kept */
  readonly configFolder: string;
  /** whether an auth.json that others can read is closed to them; otherwise there is only a warning */
  readonly tighten?: boolean;
}

export interface Logins {
  loginFor(name: RepositoryName): Promise<Login>;
  settingsFor(name: RepositoryName): RegistrySettings;
  /** what auth.json has entries for: `registry` or `registry/path`, by their canonical names */
  readonly keys: readonly string[];
  /** what is wrong with how auth.json is kept */
  readonly warnings: readonly string[];
  /**
   * Encrypts the plain logins of auth.json, unless it is another user's; the file is read again, so that what
   * was changed meanwhile stays.
   *
   * @throws {FileError} it cannot be written
   */
  seal(): Promise<void>;
}

/**
 * Opens auth.json and, behind it, the credentials of docker and of the containers tools.
 *
 * @throws {FileError} a named file cannot be read
 * @throws {DocumentError} auth.json is broken, names a variable that is not set, or cannot be opened
 */
export async function openLogins(options: LoginsOptions): Promise<Logins> {
  const { path, environment, configFolder, tighten = false } = options;
  const file = path ?? DEFAULT_AUTH_PATH;
  const keyPlace = sealKeyPlace(environment, configFolder);
  const text = path === undefined ? await readTextIfThere(file) : await readText(file);
  // Whoever has sealed nothing yet needs no key to read; one that is given must be right.
  const needsKey = text?.includes(SEAL_PREFIX) || (text && environment[SEAL_KEY_VARIABLE]);
  const sealKey = needsKey ? await findSealKey(keyPlace) : undefined;
  const entries: AuthFile =
    text === undefined ? new Map() : parseAuthFile(text, file, { environment, sealKey });
  const settings = await settingsOf(entries, dirname(resolve(file)));
  const isSecret = text !== undefined && hasSecrets(text, file);
  const guarded = isSecret ? await guardAuthFile(file, tighten) : undefined;
  const askHelper = rememberedHelpers();
  return {
    loginFor: firstOf(
      loginsOf(entries, file),
      dockerConfig(environment, askHelper),
      containersAuth(environment, askHelper),
    ),
    settingsFor: (name) => {
      const entry = entryFor(entries, name);
      return (entry && settings.get(entry)) ?? {};
    },
    keys: [...entries.keys()],
    warnings: guarded?.warning === undefined ? [] : [guarded.warning],
    seal: async () => {
      // What came through a pipe cannot be read again, and has no place to be sealed in.
      if (text === undefined || guarded?.foreign || !(await isRegularFile(file))) return;
      await sealFile(file, keyPlace);
    },
  };
}

/** Where the key of sealed logins is looked for. */
export function sealKeyPlace(environment: NodeJS.ProcessEnv, configFolder: string): SealKeyPlace {
  return { environment, path: join(configFolder, SEAL_KEY_FILE) };
}

/** Reads the PEM files that entries name, relative to their auth.json. */
async function settingsOf(
  entries: AuthFile,
  folder: string,
): Promise<ReadonlyMap<AuthEntry, RegistrySettings>> {
  const settings = new Map<AuthEntry, RegistrySettings>();
  for (const entry of entries.values()) {
    const { insecure } = entry;
    const pem = { ca: entry.ca, cert: entry.cert, key: entry.key };
    const contents: Record<string, string> = {};
    for (const [name, path] of Object.entries(pem))
      if (path !== undefined) contents[name] = await readText(resolve(folder, path));
    settings.set(entry, { ...(insecure ? { insecure } : {}), ...contents });
  }
  return settings;
}
