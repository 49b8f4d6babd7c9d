import { lstat, open, realpath, stat } from 'node:fs/promises';
import { FileError } from './errors.ts';
import { systemReason } from './file.ts';

/** Whose a file is and who else may use it, on systems that know such things. */
export interface Permissions {
  /** the file itself, behind all symbolic links */
  readonly target: string;
  /** whether the path itself is a symbolic link */
  readonly linked: boolean;
  /** the number of the user it belongs to */
  readonly owner: number;
  /** whether that is the user of this process */
  readonly own: boolean;
  /** whether its group or everybody may do anything with it */
  readonly open: boolean;
}

const OTHERS = 0o077;
const OWNER_ALONE = 0o600;

/** @returns undefined where there is no such file, for pipes and devices, and on Windows */
export async function permissionsOf(path: string): Promise<Permissions | undefined> {
  const user = process.geteuid?.();
  if (user === undefined) return undefined;
  try {
    const [target, link] = [await realpath(path), await lstat(path)];
    const there = await stat(target);
    if (!there.isFile()) return undefined;
    const { uid, mode } = there;
    const linked = link.isSymbolicLink();
    return { target, linked, owner: uid, own: uid === user, open: (mode & OTHERS) !== 0 };
  } catch {
    return undefined;
  }
}

/**
 * Lets nobody but its owner read and write a file.
 *
 * @throws {FileError} its permissions cannot be changed
 */
export async function closeToOthers(target: string): Promise<void> {
  try {
    // By its handle: what a path means may change between two calls.
    const file = await open(target, 'r');
    try {
      await file.chmod(OWNER_ALONE);
    } finally {
      await file.close();
    }
  } catch (cause) {
    throw new FileError(`cannot change the permissions of ${target}: ${systemReason(cause)}`, {
      cause,
    });
  }
}
