import { randomBytes } from 'node:crypto';
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { systemReason } from '../text/file.ts';
import { SealKeyError } from './errors.ts';
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
 * @throws {SealKeyError} the variable or the file holds something else than a key
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
    if (error instanceof SealKeyError) throw error;
    throw new SealKeyError(`cannot read ${path}: ${systemReason(error)}`, { cause: error });
  }
}

/**
 * The same, but makes a key where there is none; of two runs at once one makes it and both use it.
 *
 * @throws {SealKeyError} the key cannot be kept
 */
export async function ensureSealKey(place: SealKeyPlace): Promise<Uint8Array> {
  const known = await findSealKey(place);
  if (known) return known;
  try {
    await writeNew(place.path, `${randomBytes(SEAL_KEY_BYTES).toString('base64')}\n`);
  } catch (error) {
    throw new SealKeyError(`cannot write ${place.path}: ${systemReason(error)}`, { cause: error });
  }
  const made = await findSealKey(place);
  if (made) return made;
  throw new SealKeyError(`cannot write ${place.path}: it points at a file that is not there`);
}

/** Where a key is, in words. */
export function nameOfSealKey({ environment, path }: SealKeyPlace): string {
  return environment[SEAL_KEY_VARIABLE] ? `$${SEAL_KEY_VARIABLE}` : path;
}

// A link appears with its whole content or not at all, and never takes the place of another run's key.
async function writeNew(path: string, text: string): Promise<void> {
  const draft = `${path}.${randomBytes(6).toString('hex')}`;
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  try {
    await writeFile(draft, text, { mode: 0o600, flag: 'wx', flush: true });
    await link(draft, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    await rm(draft, { force: true });
  }
}

function decoded(text: string, where: string): Uint8Array {
  const key = Buffer.from(text.trim(), 'base64');
  if (key.length === SEAL_KEY_BYTES) return key;
  throw new SealKeyError(`${where} must hold ${SEAL_KEY_BYTES} bytes in base64`);
}
