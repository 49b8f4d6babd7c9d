import { FileError } from '../text/errors.ts';
import { readReplaceable, replaceFile } from '../text/file.ts';
import { permissionsOf } from '../text/permissions.ts';
import {
  hasPlainLogins,
  hasSealedValues,
  openAuthFile,
  type Rewritten,
  sealAuthFile,
} from './auth-seal.ts';
import { ensureSealKey, findSealKey, type SealKeyPlace } from './seal-key.ts';

const OWNER_ALONE = 0o600;

/**
 * Encrypts the plain logins of an auth.json in place. A key is made where there is none, but not for a file
 * that needs none.
 *
 * @returns how many values were encrypted
 * @throws {FileError} the file cannot be read or written, or is somebody else's
 * @throws {DocumentError} it is broken
 * @throws {SealKeyError} the key cannot be had
 */
export function sealFile(path: string, place: SealKeyPlace): Promise<number> {
  return rewrite(path, hasPlainLogins, async (text) =>
    sealAuthFile(text, path, await ensureSealKey(place)),
  );
}

/**
 * Opens every sealed value of an auth.json in place.
 *
 * @returns how many values were opened
 * @throws the same, and {@link DocumentError} where a value does not open: then nothing is written
 */
export function openFile(path: string, place: SealKeyPlace): Promise<number> {
  return rewrite(path, hasSealedValues, async (text) =>
    openAuthFile(text, path, await findSealKey(place)),
  );
}

async function rewrite(
  path: string,
  isNeeded: (text: string, file: string) => boolean,
  change: (text: string) => Promise<Rewritten>,
): Promise<number> {
  const before = await readReplaceable(path);
  if (!isNeeded(before, path)) return 0;
  await refuseForeign(path);
  const { text, count } = await change(before);
  await replaceFile(path, text, OWNER_ALONE);
  return count;
}

// A file that was replaced is its writer's, and so is the key: whose it was could not read it any more.
async function refuseForeign(path: string): Promise<void> {
  const permissions = await permissionsOf(path);
  if (permissions && !permissions.own)
    throw new FileError(
      `cannot replace ${path}: it belongs to another user (${permissions.owner}), who could not read it afterwards`,
    );
}
