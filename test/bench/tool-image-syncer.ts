import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Tool } from './tools.ts';

export const imageSyncer: Tool = {
  id: 'image-syncer',
  program: 'image-syncer',
  version: ['--version'],
  prepare: async ({ job, source, destination, workers, folder }) => {
    const insecure = { insecure: true };
    const logins = { [source]: insecure, [destination]: insecure };
    const images = job.recipes.map(({ repository, tag }) => [
      `${source}/${repository}:${tag}`,
      `${destination}/${repository}:${tag}`,
    ]);
    await writeFile(join(folder, 'auth.json'), JSON.stringify(logins));
    await writeFile(join(folder, 'images.json'), JSON.stringify(Object.fromEntries(images)));
    const files = ['--auth', 'auth.json', '--images', 'images.json'];
    const words = ['image-syncer', '--proc', `${workers}`, ...files];
    return { words, folder, environment: { HOME: folder } };
  },
};
