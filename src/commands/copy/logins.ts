import { dirname, join, resolve } from 'node:path';
import type { RepositoryName } from '../../oci/reference.ts';
import {
  type AuthEntry,
  type AuthFile,
  entryFor,
  loginsOf,
  parseAuthFile,
} from '../../registry/auth-file.ts';
import { hasPlainSecrets, sealAuthFile } from '../../registry/auth-seal.ts';
import { containersAuth } from '../../registry/containers-auth.ts';
import { firstOf, type Login } from '../../registry/credentials.ts';
import { dockerConfig } from '../../registry/docker-config.ts';
import { rememberedHelpers } from '../../registry/docker-helper.ts';
import type { RegistrySettings } from '../../registry/registry.ts';
import { SEAL_PREFIX } from '../../registry/seal.ts';
import { ensureSealKey, findSealKey, SEAL_KEY_VARIABLE } from '../../registry/seal-key.ts';
import { isRegularFile, readText, readTextIfThere, replaceFile } from '../../text/file.ts';

export const DEFAULT_AUTH_PATH = './auth.json';
const SEAL_KEY_FILE = 'auth.key';

export interface LoginsOptions {
  /** the named auth.json; the default one may be missing */
  readonly path: string | undefined;
  readonly environment: NodeJS.ProcessEnv;
  /** where the key of sealed logins is kept */
  readonly configFolder: string;
}

/** All that a run knows of logins, from every source. */
export interface Logins {
  loginFor(name: RepositoryName): Promise<Login>;
  settingsFor(name: RepositoryName): RegistrySettings;
  /**
   * Encrypts the plain logins of auth.json; the file is read again, so that what was changed meanwhile stays.
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
export async function openLogins({
  path,
  environment,
  configFolder,
}: LoginsOptions): Promise<Logins> {
  const file = path ?? DEFAULT_AUTH_PATH;
  const keyPlace = { environment, path: join(configFolder, SEAL_KEY_FILE) };
  const text = path === undefined ? await readTextIfThere(file) : await readText(file);
  // Whoever has sealed nothing yet needs no key to read; one that is given must be right.
  const needsKey = text?.includes(SEAL_PREFIX) || (text && environment[SEAL_KEY_VARIABLE]);
  const sealKey = needsKey ? await findSealKey(keyPlace) : undefined;
  const entries: AuthFile =
    text === undefined ? new Map() : parseAuthFile(text, file, { environment, sealKey });
  const settings = await settingsOf(entries, dirname(resolve(file)));
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
    seal: async () => {
      // What came through a pipe cannot be read again, and has no place to be sealed in.
      if (text === undefined || !(await isRegularFile(file))) return;
      const current = await readTextIfThere(file);
      // No key is made for a file that needs none.
      if (current === undefined || !hasPlainSecrets(current, file)) return;
      const sealed = sealAuthFile(current, file, await ensureSealKey(keyPlace));
      if (sealed !== undefined) await replaceFile(file, sealed, 0o600);
    },
  };
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
