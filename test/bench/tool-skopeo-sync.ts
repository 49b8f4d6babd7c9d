import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Job } from './job.ts';
import type { Assignment, Tool } from './tools.ts';

/** `skopeo sync`, which copies a list of images, or all tags of a repository, in one process. */
export const skopeoSync: Tool = {
  id: 'skopeo-sync',
  program: 'skopeo',
  version: ['--version'],
  prepare: async (assignment) => {
    const { folder, job } = assignment;
    await writeFile(join(folder, 'list.yaml'), JSON.stringify(listOf(assignment)));
    const words = ['skopeo', 'sync', '--all', '--keep-going', '--dest', 'docker'];
    const verify = ['--src-tls-verify=false', '--dest-tls-verify=false'];
    const ends =
      job.repository === undefined
        ? ['--src', 'yaml', 'list.yaml', assignment.destination]
        : [
            ...['--src', 'docker', `${assignment.source}/${job.repository}`],
            `${assignment.destination}/${parentOf(job.repository)}`,
          ];
    return {
      words: [...words, ...verify, ...ends],
      folder,
      environment: { HOME: folder, XDG_DATA_HOME: folder },
    };
  },
  // Without --scoped it keeps the last part of a name only, with it the source's host is in the name.
  placeOf: (repository, job: Job) =>
    job.repository === undefined ? (repository.split('/').at(-1) ?? repository) : repository,
};

/** JSON, which is YAML too. */
function listOf({ job, source }: Assignment): object {
  const images: { [repository: string]: string[] } = {};
  for (const { repository, tag } of job.recipes) {
    images[repository] ??= [];
    images[repository].push(tag);
  }
  return { [source]: { 'tls-verify': false, images } };
}

function parentOf(repository: string): string {
  return repository.split('/').slice(0, -1).join('/');
}
