import { createHash, randomBytes } from 'node:crypto';
import { lstat, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Descriptor } from '../oci/descriptor.ts';
import { field } from './body.ts';

/** Uploads that outlive the process that began them. */
export interface KeptSessions {
  /** Remembers, or moves on, an upload of this process. */
  keep(place: KeptPlace, blob: Descriptor, url: URL): Promise<void>;
  /** Forgets an upload of this process. */
  drop(place: KeptPlace, blob: Descriptor): Promise<void>;
  /** Lets an upload of this process go, to be taken up later. */
  leave(place: KeptPlace, blob: Descriptor): void;
  /** Hands out an upload that was left, or whose process has ended, to one caller. */
  take(place: KeptPlace, blob: Descriptor): Promise<URL | undefined>;
}

interface KeptPlace {
  /** `https://host/v2/<repository>/blobs/uploads/` */
  readonly url: URL;
}

interface Entry {
  readonly upload: string;
  readonly session: string;
  readonly machine: string;
  readonly process: number;
  /** when that process began, in milliseconds since the epoch */
  readonly since: number;
}

const FIELDS = ['upload', 'session', 'machine', 'process', 'since'] as const;

// distribution removes uploads after a week.
const LONGEST_DAYS = 7;
const DAY_MS = 86_400_000;
const STARTED = Math.round(performance.timeOrigin);

/**
 * A folder with one small file for each unfinished upload. A file appears, changes and goes as a whole, so that it
 * is right whenever a process is killed; each belongs to a process, and only when that has ended another one may
 * take it, by renaming it, which goes well for one of several. What cannot be written or read is no upload to take
 * up: nothing fails for it.
 *
 * @param folder - in the user's state folder; made when it is needed, readable by the user alone, since the address
 *   of an upload may be all that is needed to write to it
 */
export function sessionJournal(folder: string): KeptSessions {
  const mine = new Set<string>();
  const left = new Set<string>();
  const pathOf = (place: KeptPlace, blob: Descriptor): string =>
    join(folder, `${createHash('sha256').update(uploadOf(place, blob)).digest('hex')}.json`);
  let isTidied = false;

  return {
    keep: async (place, blob, url) => {
      if (!isTidied) void tidy(folder);
      isTidied = true;
      const path = pathOf(place, blob);
      // Another run that uploads the same blob keeps its own.
      if (!mine.has(path) && (await readEntry(path, place, blob))) return;
      mine.add(path);
      const upload = uploadOf(place, blob);
      const owner = { machine: hostname(), process: process.pid, since: STARTED };
      await replace(folder, path, JSON.stringify({ upload, session: url.href, ...owner }));
    },
    drop: async (place, blob) => {
      const path = pathOf(place, blob);
      if (mine.delete(path)) await rm(path, { force: true }).catch(() => undefined);
    },
    leave: (place, blob) => {
      const path = pathOf(place, blob);
      if (mine.delete(path)) left.add(path);
    },
    take: async (place, blob) => {
      const path = pathOf(place, blob);
      const entry = await readEntry(path, place, blob);
      if (!entry || mine.has(path)) return undefined;
      if (!left.delete(path) && mayBeAlive(entry)) return undefined;
      const taken = `${path}.${randomBytes(6).toString('hex')}`;
      const claimed = await rename(path, taken).then(
        () => true,
        () => false,
      );
      if (claimed) await rm(taken, { force: true }).catch(() => undefined);
      return claimed ? new URL(entry.session) : undefined;
    },
  };
}

/** Where the journal is kept: the user's state folder. */
export function journalFolder(
  environment: Readonly<Record<string, string | undefined>>,
  home: string,
  dirname: string,
): string {
  const state = environment['XDG_STATE_HOME'] || join(home, '.local', 'state');
  return join(state, dirname, 'uploads');
}

function uploadOf({ url }: KeptPlace, { digest, size }: Descriptor): string {
  return `${url.origin}${url.pathname} ${digest} ${size}`;
}

async function readEntry(
  path: string,
  place: KeptPlace,
  blob: Descriptor,
): Promise<Entry | undefined> {
  try {
    // Whoever opens a pipe waits for somebody to write into it.
    if (!(await lstat(path)).isFile()) return undefined;
    const value: unknown = JSON.parse(await readFile(path, 'utf8'));
    const [upload, session, machine, owner, since] = FIELDS.map((name) => field(value, name));
    const isEntry =
      upload === uploadOf(place, blob) &&
      typeof session === 'string' &&
      URL.canParse(session) &&
      new URL(session).origin === place.url.origin &&
      typeof machine === 'string' &&
      typeof owner === 'number' &&
      typeof since === 'number';
    return isEntry ? { upload, session, machine, process: owner, since } : undefined;
  } catch {
    return undefined;
  }
}

/** Of processes on other machines nobody here knows whether they run. */
function mayBeAlive({ machine, process: owner, since }: Entry): boolean {
  if (machine !== hostname()) return true;
  // In containers each process has the same number.
  if (owner === process.pid) return since === STARTED;
  try {
    process.kill(owner, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

async function replace(folder: string, path: string, text: string): Promise<void> {
  const draft = `${path}.${randomBytes(6).toString('hex')}`;
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await writeFile(draft, text, { mode: 0o600, flag: 'wx' });
    await rename(draft, path);
  } catch {
    await rm(draft, { force: true }).catch(() => undefined);
  }
}

/** Removes what nobody can take up any more. */
async function tidy(folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  for (const name of names) {
    const path = join(folder, name);
    const there = await stat(path).catch(() => undefined);
    if (there && Date.now() - there.mtimeMs > LONGEST_DAYS * DAY_MS)
      await rm(path, { force: true }).catch(() => undefined);
  }
}
