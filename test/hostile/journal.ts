import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { Repository } from '../../src/registry/repository.ts';
import { sessionJournal } from '../../src/registry/session-journal.ts';
import { content } from '../registry/opening.ts';
import { startRegistry, type TestRegistry } from '../support/registry.ts';
import { visit } from './visit.ts';

/** As long as a blob has to be, so that its upload is remembered. */
export const LARGE = content(Buffer.alloc(16 * 1024 * 1024, 'large'));

/** A registry with a login, and a journal that remembers an upload of {@link LARGE} to `team/app` of it. */
export interface Remembering {
  readonly registry: TestRegistry;
  readonly repository: Repository;
  /** where the journal is */
  readonly folder: string;
  /** the one file in it */
  readonly path: string;
  /** Writes another address into the file, or other fields, as if its process had ended. */
  rewrite(fields: Readonly<Record<string, unknown>>): Promise<void>;
  /** whether the registry has the blob now */
  isStored(): boolean;
}

export async function remember(context: TestContext): Promise<Remembering> {
  const users = [{ username: 'me', password: 'hunter2' }];
  const registry = await startRegistry({ auth: 'basic', users });
  context.after(() => registry.close());
  const parent = await mkdtemp(join(tmpdir(), 'journal-'));
  context.after(() => rm(parent, { recursive: true, force: true }));
  const folder = join(parent, 'uploads');
  const url = new URL(`${registry.url}/v2/team/app/blobs/uploads/`);
  await sessionJournal(folder).keep({ url }, LARGE.descriptor, new URL('1?_state=a', url));
  const [name = ''] = await readdir(folder);
  const path = join(folder, name);
  const entry = JSON.parse(await readFile(path, 'utf8')) as object;
  const dead = await endedProcess();
  return {
    ...{ registry, folder, path },
    repository: await visit(context, registry.host, { kept: sessionJournal(folder) }),
    rewrite: (fields) => writeFile(path, JSON.stringify({ ...entry, process: dead, ...fields })),
    isStored: () =>
      registry.store.repositories.get('team/app')?.blobs.has(LARGE.descriptor.digest) === true,
  };
}

/** The number of a process that is gone. */
async function endedProcess(): Promise<number> {
  const child = spawn(process.execPath, ['--version'], { stdio: 'ignore' });
  await once(child, 'exit');
  return child.pid ?? 0;
}
