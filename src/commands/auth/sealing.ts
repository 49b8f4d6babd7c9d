import { counted } from '../../progress/format.ts';
import { openAuthFile } from '../../registry/auth-seal.ts';
import { openFile, sealFile } from '../../registry/seal-file.ts';
import { findSealKey, nameOfSealKey } from '../../registry/seal-key.ts';
import { readText } from '../../text/file.ts';
import { EXIT, type Exit } from '../base.ts';
import { DEFAULT_AUTH_PATH, sealKeyPlace } from '../logins.ts';

export interface SealingOptions {
  /** the named auth.json; undefined is the default one, which has to be there as well */
  readonly path: string | undefined;
  readonly configFolder: string;
}

/** The whole of `auth encrypt`. */
export async function encrypt({
  path = DEFAULT_AUTH_PATH,
  configFolder,
}: SealingOptions): Promise<Exit> {
  const place = sealKeyPlace(process.env, configFolder);
  const count = await sealFile(path, place);
  say(
    count === 0
      ? `nothing to encrypt in ${path}`
      : `encrypted ${counted(count, 'value')} of ${path}; the key is in ${nameOfSealKey(place)}`,
  );
  return EXIT.done;
}

/** The whole of `auth decrypt`. */
export async function decrypt({
  path = DEFAULT_AUTH_PATH,
  configFolder,
}: SealingOptions): Promise<Exit> {
  const count = await openFile(path, sealKeyPlace(process.env, configFolder));
  say(
    count === 0
      ? `nothing to decrypt in ${path}`
      : `decrypted ${counted(count, 'value')} of ${path}; the next run encrypts them again, unless with --no-encrypt-auth`,
  );
  return EXIT.done;
}

/** The whole of `auth decrypt --stdout`: the opened document, and nothing else. */
export async function print({
  path = DEFAULT_AUTH_PATH,
  configFolder,
}: SealingOptions): Promise<Exit> {
  const key = await findSealKey(sealKeyPlace(process.env, configFolder));
  process.stdout.write(openAuthFile(await readText(path), path, key).text);
  return EXIT.done;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
