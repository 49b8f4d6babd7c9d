import { FileError } from '../text/errors.ts';
import { systemReason } from '../text/file.ts';
import { closeToOthers, type Permissions, permissionsOf } from '../text/permissions.ts';

/** What is wrong with how an auth.json is kept. */
export interface Guarded {
  /** what to tell the user, if anything */
  readonly warning: string | undefined;
  /** whether the file belongs to another user: then it is theirs to change */
  readonly foreign: boolean;
}

const PLAIN_PATH = /^[\w@%+=:,./-]+$/;

/**
 * Looks who else may read a file that holds secrets.
 *
 * @param tighten - whether a file of our own that is open to others is closed to them
 */
export async function guardAuthFile(path: string, tighten: boolean): Promise<Guarded> {
  const permissions = await permissionsOf(path);
  if (!permissions || (permissions.own && !permissions.open))
    return { warning: undefined, foreign: false };
  const name = nameOf(path, permissions);
  if (permissions.own) return { warning: await closed(name, permissions, tighten), foreign: false };
  const open = permissions.open ? ' and can be read by others' : '';
  return {
    warning: `${name} belongs to another user (${permissions.owner})${open}; it is used as it is, and neither encrypted nor closed`,
    foreign: true,
  };
}

async function closed(name: string, { target }: Permissions, tighten: boolean): Promise<string> {
  const advice = `run "chmod 600 ${quoted(target)}"`;
  const open = `${name} can be read by other users of this machine`;
  if (!tighten) return `${open}; ${advice}`;
  try {
    await closeToOthers(target);
    return `${name} could be read by other users of this machine; now it cannot`;
  } catch (error) {
    const reason = systemReason(error instanceof FileError ? error.cause : error);
    return `${open}, and that cannot be changed here (${reason}); ${advice}`;
  }
}

function nameOf(path: string, { target, linked }: Permissions): string {
  return linked ? `${path} (a link to ${target})` : path;
}

function quoted(path: string): string {
  return PLAIN_PATH.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}
