import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { type Environment, findProgram, run } from './process.ts';
import type { Requirement } from './requirement.ts';

/** What `docker login` would have put into a helper. */
export interface HelperEntry {
  readonly server: string;
  readonly username: string;
  readonly secret: string;
}

/** A home of its own with an unlocked password store, for `docker-credential-pass`. */
export interface PassHome {
  /** also to be used as DOCKER_CONFIG; removed by `close` */
  readonly folder: string;
  /** HOME and what else the helper has to be started with */
  readonly environment: Environment;
  store(entry: HelperEntry): Promise<void>;
  /** Ends the agent that gpg has started, and removes the folder. */
  close(): Promise<void>;
}

const NEEDED = ['docker-credential-pass', 'pass', 'gpg', 'gpgconf'];

export const PASS_HELPER: Requirement = {
  name: 'docker-credential-pass with pass and gpg',
  found: NEEDED.every((program) => findProgram(program) !== undefined),
  remedy:
    "install Debian's pass, gnupg and golang-docker-credential-helpers packages (apt-get install pass gnupg golang-docker-credential-helpers)",
};

/** Makes a key without passphrase and a password store that it opens. */
export async function startPassHelper(): Promise<PassHome> {
  // Not os.tmpdir(), which may be long: the path of the agent's socket has at most 108 characters.
  const folder = await mkdtemp('/tmp/pass-');
  const environment = {
    HOME: folder,
    GNUPGHOME: join(folder, 'gnupg'),
    PASSWORD_STORE_DIR: join(folder, 'store'),
  };
  const must = async (command: string, parameters: readonly string[], input = '') => {
    const { code, stdout, stderr } = await run(command, parameters, { environment, input });
    if (code !== 0) throw new Error(`${command} ended with ${code}: ${stderr}${stdout}`);
    return stdout;
  };
  const close = async () => {
    await run('gpgconf', ['--kill', 'gpg-agent'], { environment });
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await mkdir(environment.GNUPGHOME, { mode: 0o700 });
    const identity = 'test <test@example.invalid>';
    const quiet = ['--batch', '--pinentry-mode', 'loopback', '--passphrase', ''];
    await must('gpg', [...quiet, '--quick-generate-key', identity, 'default', 'default', 'never']);
    const keys = await must('gpg', ['--list-keys', '--with-colons']);
    const [, fingerprint = ''] = /^fpr:+([0-9A-F]+):/m.exec(keys) ?? [];
    await must('pass', ['init', fingerprint]);
  } catch (error) {
    await close();
    throw error;
  }
  return {
    folder,
    environment,
    close,
    store: async ({ server, username, secret }) => {
      const entry = { ServerURL: server, Username: username, Secret: secret };
      await must('docker-credential-pass', ['store'], JSON.stringify(entry));
    },
  };
}

/** What a helper that we wrote ourselves does, whatever it is asked. */
export interface FakeHelperOptions {
  /** the helper is the program `docker-credential-NAME` */
  readonly name: string;
  readonly stdout?: string;
  readonly stderr?: string;
  readonly exitCode?: number;
  /** never ends by itself */
  readonly hangs?: boolean;
}

export interface FakeHelper {
  /** PATH with the helper's folder in front */
  readonly environment: Environment;
  /** What it was asked so far: the operation and what stood on its standard input. */
  asked(): Promise<readonly { readonly operation: string; readonly input: string }[]>;
  remove(): Promise<void>;
}

/** Writes a credential helper that answers what a test wants, to see what becomes of it. */
export async function writeFakeHelper(options: FakeHelperOptions): Promise<FakeHelper> {
  const { name, stdout = '', stderr = '', exitCode = 0, hangs = false } = options;
  const folder = await mkdtemp('/tmp/helper-');
  const program = join(folder, `docker-credential-${name}`);
  const asked = join(folder, 'asked');
  await writeFile(join(folder, 'stdout'), stdout);
  await writeFile(join(folder, 'stderr'), stderr);
  await writeFile(asked, '');
  const script = [
    '#!/bin/sh',
    `input=$(cat)`,
    `printf '%s %s\\n' "$1" "$input" >> '${asked}'`,
    `cat '${join(folder, 'stdout')}'`,
    `cat '${join(folder, 'stderr')}' >&2`,
    hangs ? 'exec sleep 600' : `exit ${exitCode}`,
  ];
  await writeFile(program, `${script.join('\n')}\n`);
  await chmod(program, 0o755);
  return {
    environment: { PATH: `${folder}${delimiter}${process.env['PATH'] ?? ''}` },
    remove: () => rm(folder, { recursive: true, force: true }),
    asked: async () => {
      const lines = (await readFile(asked, 'utf8')).split('\n').filter((line) => line !== '');
      return lines.map((line) => {
        const [operation = '', ...input] = line.split(' ');
        return { operation, input: input.join(' ') };
      });
    },
  };
}
