import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Assignment, Command, Tool } from './tools.ts';

// Programs that copy one image: xargs starts one for each, one after the other or as many at a time as there are workers.

/** Requests in flight of one oras: over 40 ms its default of three is slower, and thirty gains a few percent at most. */
const ORAS_CONCURRENCY = 10;

type Words = (assignment: Assignment) => readonly string[];

export function skopeoCopy(way: string, isParallel: boolean): Tool {
  const words: Words = ({ source, destination }) => [
    ...['skopeo', 'copy', '--quiet', '--all'],
    ...['--src-tls-verify=false', '--dest-tls-verify=false'],
    ...[`docker://${source}/{}`, `docker://${destination}/{}`],
  ];
  return {
    ...{ id: `skopeo-${way}`, program: 'skopeo', version: ['--version'] },
    prepare: (assignment) => forEachImage(assignment, words(assignment), isParallel),
  };
}

export function crane(way: string, isParallel: boolean): Tool {
  const words: Words = ({ source, destination }) => [
    ...['crane', 'copy', '--insecure', `${source}/{}`, `${destination}/{}`],
  ];
  const whole = (repository: string, { source, destination, workers }: Assignment) => [
    ...['crane', 'copy', '--insecure', '--all-tags', '--jobs', `${isParallel ? workers : 1}`],
    ...[`${source}/${repository}`, `${destination}/${repository}`],
  ];
  return {
    ...{ id: `crane-${way}`, program: 'crane', version: ['version'] },
    prepare: async (assignment) => {
      const { repository } = assignment.job;
      if (repository === undefined) return forEachImage(assignment, words(assignment), isParallel);
      return commandOf(assignment, whole(repository, assignment));
    },
  };
}

export function regctl(way: string, isParallel: boolean): Tool {
  const words: Words = ({ source, destination, secure }) => [
    ...['regctl', '--verbosity', 'error'],
    ...[source, destination].flatMap((host) => [
      ...['--host', `reg=${host},tls=${secure ? 'insecure' : 'disabled'}`],
    ]),
    ...['image', 'copy', '--fast', `${source}/{}`, `${destination}/{}`],
  ];
  return {
    ...{ id: `regctl-${way}`, program: 'regctl', version: ['version'] },
    prepare: (assignment) => forEachImage(assignment, words(assignment), isParallel),
  };
}

export function oras(way: string, isParallel: boolean): Tool {
  const words: Words = ({ source, destination, secure }) => [
    ...['oras', 'cp', '--no-tty'],
    ...(secure ? ['--from-insecure', '--to-insecure'] : ['--from-plain-http', '--to-plain-http']),
    ...['--concurrency', `${ORAS_CONCURRENCY}`, `${source}/{}`, `${destination}/{}`],
  ];
  return {
    ...{ id: `oras-${way}`, program: 'oras', version: ['version'] },
    prepare: (assignment) => forEachImage(assignment, words(assignment), isParallel),
  };
}

async function forEachImage(
  assignment: Assignment,
  words: readonly string[],
  isParallel: boolean,
): Promise<Command> {
  const { job, folder, workers } = assignment;
  const images = job.recipes.map(({ repository, tag }) => `${repository}:${tag}\n`);
  await writeFile(join(folder, 'images'), images.join(''));
  const atATime = isParallel ? workers : 1;
  return commandOf(assignment, ['xargs', '-a', 'images', '-P', `${atATime}`, '-I{}', ...words]);
}

/** A home of its own keeps the user's logins and settings out. */
function commandOf({ folder }: Assignment, words: readonly string[]): Command {
  return { words, folder, environment: { HOME: folder, XDG_DATA_HOME: folder } };
}
