import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Assignment, Tool } from './tools.ts';

const DEFAULT_WORKERS = 7;
const PROGRAM = fileURLToPath(new URL('../../bin/run.js', import.meta.url));

/** This project's own, as its users start it. */
export const migrateImages: Tool = {
  id: 'migrate-images',
  program: process.execPath,
  version: [PROGRAM, '--version'],
  prepare: async (assignment) => {
    const { folder, source, destination, workers } = assignment;
    const insecure = { insecure: true };
    const logins = { [source]: insecure, [destination]: insecure };
    await writeFile(join(folder, 'auth.json'), JSON.stringify(logins));
    await writeFile(join(folder, 'images.json'), JSON.stringify(rulesOf(assignment)));
    // A number that is said is a promise to send nothing of other images; who says none gets more.
    const count = workers === DEFAULT_WORKERS ? [] : ['--workers', `${workers}`];
    const words = [process.execPath, PROGRAM, 'copy', ...count, '--no-progress'];
    const environment = { HOME: folder, XDG_CONFIG_HOME: join(folder, '.config') };
    return { words, folder, environment };
  },
};

function rulesOf({ job, source, destination }: Assignment): object {
  if (job.repository !== undefined)
    return { [`${source}/${job.repository}`]: `${destination}/${job.repository}` };
  const rules = job.recipes.map(({ repository, tag }) => [
    `${source}/${repository}:${tag}`,
    `${destination}/${repository}:${tag}`,
  ]);
  return Object.fromEntries(rules);
}
