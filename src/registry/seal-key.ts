import { randomBytes } from 'node:crypto';
import { mkdir, open, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { systemReason } from '../text/file.ts';
import { CredentialError } from './errors.ts';
import { SEAL_KEY_BYTES } from './seal.ts';

/** The environment variable that may hold the key, as 32 bytes in base64. */
export const SEAL_KEY_VARIABLE = 'MIGRATE_IMAGES_AUTH_KEY';

/** Where the key of sealed secrets is kept. */
export interface SealKeyPlace {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** a file in the user's configuration folder, readable by the user alone */
  readonly path: string;
}

/**
 * The key that seals auth.json, or undefined where none was made yet.
 *
 * @throws {CredentialError} the variable or the file holds something else than a key
 */
export async function findSealKey({
  environment,
  path,
}: SealKeyPlace): Promise<Uint8Array | undefined> {
  const given = environment[SEAL_KEY_VARIABLE];
  if (given) return decoded(given, `$${SEAL_KEY_VARIABLE}`);
  try {
    return decoded(await readFile(path, 'utf8'), path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    if (error instanceof CredentialError) throw error;
    throw new CredentialError(`cannot read ${path}: ${systemReason(error)}`, { cause: error });
  }
}

/** The same, but makes a key where there is none; of two runs at once one makes it and both use it. */
export async function ensureSealKey(place: SealKeyPlace): Promise<Uint8Array> {
  const known = await findSealKey(place);
  if (known) return known;
  const key = randomBytes(SEAL_KEY_BYTES);
  await mkdir(dirname(place.path), { recursive: true, mode: 0o700 });
  const file = await open(place.path, 'wx', 0o600).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'EEXIST') return undefined;
    throw error;
  });
  if (!file) return ensureSealKey(place);
  try {
    await file.writeFile(`${key.toString('base64')}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  return key;
}

function decoded(text: string, where: string): Uint8Array {
  const key = Buffer.from(text.trim(), 'base64');
  if (key.length === SEAL_KEY_BYTES) return key;
  throw new CredentialError(`${where} must hold ${SEAL_KEY_BYTES} bytes in base64`);
}
