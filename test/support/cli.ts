import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import type { Environment, FinishedProcess } from './process.ts';

// From the sources, so that no build has to be up to date; apart from that it is the published door.
const DOOR = join(import.meta.dirname, '../../bin/dev.js');

/** Somewhere to run the program: a working folder and a home of its own, and an environment with nothing else in it. */
export interface Desk {
  readonly folder: string;
  readonly environment: Environment;
  /** where the program keeps the key of sealed logins */
  readonly keyFile: string;
  path(name: string): string;
  /** Writes a file for the user alone, as one with logins should be. */
  write(name: string, content: string): Promise<void>;
  read(name: string): Promise<string>;
  /** permissions, as `0o600` */
  modeOf(path: string): Promise<number>;
  /** Runs the program to its end. */
  run(parameters: readonly string[], options?: RunOptions): Promise<FinishedProcess>;
  /** Starts it, to do something to it meanwhile. */
  start(parameters: readonly string[], options?: RunOptions): RunningCommand;
  /** A shell command that runs the program here, with nothing of the environment of the tests. */
  shellCommand(parameters: readonly string[], environment?: Environment): string;
  /** Makes a folder with the program under the name that kubectl looks for; gives a PATH that begins with it. */
  installPlugin(): Promise<string>;
  /** Ends what still runs, and removes the folder. */
  close(): Promise<void>;
}

export interface RunOptions {
  readonly environment?: Environment;
  /** what stands on standard input, which is closed behind it */
  readonly input?: string;
  /** standard input stays open, as a terminal's does */
  readonly inputStaysOpen?: boolean;
  /** another program than this one */
  readonly program?: string;
}

export interface RunningCommand {
  readonly child: ChildProcessWithoutNullStreams;
  readonly ended: Promise<FinishedProcess>;
  /**
   * Waits until either stream has said something.
   *
   * @throws {Error} the program ended without it; the message holds what it said instead
   */
  said(pattern: RegExp): Promise<void>;
}

export async function openDesk(): Promise<Desk> {
  const folder = await mkdtemp(join(tmpdir(), 'desk-'));
  const environment = environmentIn(folder);
  for (const name of ['work', 'home', 'runtime']) await mkdir(join(folder, name));
  const path = (name: string) => join(folder, 'work', name);
  const running = new Set<RunningCommand>();

  function start(
    parameters: readonly string[],
    { environment: more, input, inputStaysOpen, program }: RunOptions = {},
  ): RunningCommand {
    const child = program
      ? spawn(program, parameters, { cwd: path(''), env: { ...environment, ...more } })
      : spawn(process.execPath, [DOOR, ...parameters], {
          cwd: path(''),
          env: { ...environment, ...more },
        });
    const ended = finishedOf(child);
    const command = { child, ended, said: (pattern: RegExp) => said(child, ended, pattern) };
    running.add(command);
    command.ended.finally(() => running.delete(command)).catch(() => undefined);
    // A program may end without reading what it is given.
    child.stdin.on('error', () => undefined);
    child.stdin.write(input ?? '');
    if (!inputStaysOpen) child.stdin.end();
    return command;
  }

  return {
    folder: path(''),
    environment,
    keyFile: join(folder, 'home/.config/kubectl-migrate-images/auth.key'),
    path,
    write: (name, content) => writeFile(path(name), content, { mode: 0o600 }),
    read: (name) => readFile(path(name), 'utf8'),
    modeOf: async (name) => (await stat(name)).mode & 0o777,
    run: (parameters, options) => start(parameters, options).ended,
    start,
    shellCommand: (parameters, more) => {
      const variables = Object.entries({ ...environment, ...more }).map((pair) => pair.join('='));
      const words = ['env', '-i', ...variables, process.execPath, DOOR, ...parameters];
      return `cd ${quoted(path(''))}; ${words.map(quoted).join(' ')}`;
    },
    installPlugin: async () => {
      await mkdir(join(folder, 'bin'), { recursive: true });
      await symlink(DOOR, join(folder, 'bin/kubectl-migrate_images'));
      return [join(folder, 'bin'), environment['PATH']].join(delimiter);
    },
    close: async () => {
      for (const { child, ended } of [...running]) {
        child.kill('SIGKILL');
        await ended;
      }
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function environmentIn(folder: string): Environment {
  return {
    // The node that runs the tests comes first: `env node` of the door may else find an older one.
    PATH: [dirname(process.execPath), process.env['PATH'] ?? ''].join(delimiter),
    HOME: join(folder, 'home'),
    XDG_CONFIG_HOME: join(folder, 'home/.config'),
    XDG_CACHE_HOME: join(folder, 'home/.cache'),
    XDG_DATA_HOME: join(folder, 'home/.local'),
    XDG_RUNTIME_DIR: join(folder, 'runtime'),
    DOCKER_CONFIG: join(folder, 'home/.docker'),
    TERM: 'xterm-256color',
    LANG: 'C.UTF-8',
  };
}

async function finishedOf(child: ChildProcessWithoutNullStreams): Promise<FinishedProcess> {
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stdout: `${Buffer.concat(stdout)}`, stderr: `${Buffer.concat(stderr)}` };
}

/** Only what comes after the call counts: a test asks before it lets the program go on. */
async function said(
  child: ChildProcessWithoutNullStreams,
  ended: Promise<FinishedProcess>,
  pattern: RegExp,
): Promise<void> {
  const heard = new Promise<true>((resolve) => {
    let text = '';
    const listen = (chunk: Buffer) => {
      text += chunk;
      if (pattern.test(text)) resolve(true);
    };
    child.stdout.on('data', listen);
    child.stderr.on('data', listen);
  });
  const finished = await Promise.race([heard, ended]);
  if (finished !== true)
    throw new Error(`nothing said matches ${pattern}:\n${finished.stdout}${finished.stderr}`);
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}
