import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';

export type Environment = Readonly<Record<string, string | undefined>>;

/** A program that runs beside the tests until it is told to end. */
export interface RunningProcess {
  readonly pid: number;
  /** the line that said the program is ready */
  readonly ready: RegExpExecArray;
  /** Ends the program and waits until it is gone; a second call does nothing more. */
  end(): Promise<void>;
}

export interface StartOptions {
  readonly command: string;
  readonly arguments: readonly string[];
  readonly environment?: Environment;
  /** the program is ready when a line of either stream matches */
  readonly ready: RegExp;
  /** is given every line of standard output */
  readonly onLine?: (line: string) => void;
}

export interface FinishedProcess {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Where a program is on the PATH; undefined where there is none. */
export function findProgram(name: string): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

/**
 * Starts a program and waits until it says that it is ready.
 *
 * @throws {Error} it ended before; the error holds its last lines
 */
export async function startProcess(options: StartOptions): Promise<RunningProcess> {
  const child = spawn(options.command, options.arguments, {
    env: { ...process.env, ...options.environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const kill = () => void child.kill('SIGKILL');
  process.once('exit', kill);
  const exited = once(child, 'exit').finally(() => process.off('exit', kill));
  const lines: string[] = [];
  const ready = new Promise<RegExpExecArray>((resolve) => {
    const look = (line: string) => {
      lines.push(line);
      if (lines.length > 20) lines.shift();
      const match = options.ready.exec(line);
      if (match) resolve(match);
    };
    createInterface(child.stderr).on('line', look);
    createInterface(child.stdout).on('line', (line) => {
      options.onLine?.(line);
      look(line);
    });
  });
  const failed = exited.then(() => {
    throw new Error(`${options.command} ended before it was ready:\n${lines.join('\n')}`);
  });
  failed.catch(() => undefined);
  const match = await Promise.race([ready, failed]);
  return {
    pid: child.pid ?? 0,
    ready: match,
    end: async () => {
      child.kill('SIGTERM');
      await exited;
    },
  };
}

/** Runs a program to its end, giving it `input`. */
export async function run(
  command: string,
  parameters: readonly string[],
  options: { readonly environment?: Environment; readonly input?: string } = {},
): Promise<FinishedProcess> {
  const child = spawn(command, parameters, {
    env: { ...process.env, ...options.environment },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
  // A program may end without reading what it is given.
  child.stdin.on('error', () => undefined);
  child.stdin.end(options.input ?? '');
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stdout: `${Buffer.concat(stdout)}`, stderr: `${Buffer.concat(stderr)}` };
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
