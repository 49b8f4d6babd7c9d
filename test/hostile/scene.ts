import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import type { TestContext } from 'node:test';
import { makeCertificates } from '../support/certificates.ts';
import { type Desk, openDesk, type RunningCommand, type RunOptions } from '../support/cli.ts';
import { startPassHelper } from '../support/credential-helper.ts';
import { pushImage } from '../support/images.ts';
import type { Environment, FinishedProcess } from '../support/process.ts';
import { startRegistry, type TestRegistry } from '../support/registry.ts';
import type { RegistryOptions } from '../support/registry-options.ts';
import type { User } from '../support/registry-users.ts';
import type { Secret } from './secrets.ts';
import { argumentsOf } from './watch.ts';

/** Registries with every kind of login there is, and a desk that knows all of them. */
export interface Scene {
  readonly desk: Desk;
  readonly environment: Environment;
  /** by the kind of login */
  readonly sources: Readonly<Record<Kind, TestRegistry>>;
  readonly destination: TestRegistry;
  readonly secrets: readonly Secret[];
  /** files that hold secrets on purpose */
  readonly keepers: readonly string[];
  /** Runs the command, and looks at its arguments whenever a registry is asked something. */
  run(parameters: readonly string[], options?: RunOptions): Promise<FinishedProcess>;
  start(parameters: readonly string[], options?: RunOptions): RunningCommand;
  /** every argument of every process that was seen */
  seenArguments(): string;
  /** what the credential helper saw of all processes when it was started */
  readonly helperSaw: string;
}

const KINDS = ['plain', 'variable', 'docker', 'helper', 'helper-token'] as const;
type Kind = (typeof KINDS)[number];

/** A password that looks different in each way of writing it down. */
const passwordOf = (name: string) => `pass+${name}/"\\ä %41&?=$`;

export async function setScene(context: TestContext): Promise<Scene> {
  const tls = await makeCertificates();
  context.after(() => tls.remove());
  const pass = await startPassHelper();
  context.after(() => pass.close());
  const desk = await openDesk();
  context.after(() => desk.close());
  const open = async (name: string, options: RegistryOptions) => {
    const registry = await startRegistry({ users: [userOf(name)], ...options });
    context.after(() => registry.close());
    return registry;
  };
  const sources = {
    plain: await open('plain', { auth: 'token', tls }),
    variable: await open('variable', { auth: 'basic' }),
    docker: await open('docker', { auth: 'token' }),
    helper: await open('helper', { auth: 'basic' }),
    'helper-token': await open('helper-token', { auth: 'token' }),
  };
  const destination = await open('sealed', { auth: 'token' });
  const seen = new Set<string>();
  let pid: number | undefined;
  for (const registry of [...Object.values(sources), destination])
    registry.faults.add({
      where: () => {
        if (pid !== undefined) for (const list of argumentsOf(pid)) seen.add(list);
        return false;
      },
    });
  // Layers of their own: a blob that several sources have is fetched from one of them.
  for (const [seed, source] of Object.entries(sources))
    await pushImage(source, { repository: 'team/app', tag: 'v1', seed });
  // Storage services hand out signed addresses.
  sources.variable.faults.add({ class: 'blob', method: 'GET', redirect: 307 });

  const refresh = (registry: TestRegistry, name: string) =>
    registry.tokens?.refreshTokenOf(userOf(name).username) ?? '';
  const dockerToken = refresh(sources.docker, 'docker');
  const helperToken = refresh(sources['helper-token'], 'helper-token');
  const { username, password } = userOf('helper');
  await pass.store({ server: sources.helper.host, username, secret: password });
  await pass.store({
    ...{ server: sources['helper-token'].host, username: '<token>', secret: helperToken },
  });
  const helperSaw = desk.path('helper-saw');
  const folder = await writeHelper(pass.folder, helperSaw);
  const insecure = { insecure: true };
  const auths = { [sources.docker.host]: { auth: '', identitytoken: dockerToken } };
  const helpers = [sources.helper.host, sources['helper-token'].host];
  const credHelpers = Object.fromEntries(helpers.map((host) => [host, 'watched']));
  const config = join(pass.folder, 'config.json');
  await writeFile(config, JSON.stringify({ auths, credHelpers }));
  for (const [name, text] of Object.entries({
    'ca.pem': tls.authority,
    'cert.pem': tls.certificate,
  }))
    await desk.write(name, text);
  await desk.write('key.pem', tls.key);
  const pem = { ca: 'ca.pem', cert: 'cert.pem', key: 'key.pem' };
  const variable = { ...userOf('variable'), password: '$SOURCE_PASSWORD', ...insecure };
  await desk.write(
    'auth.json',
    JSON.stringify({
      [sources.plain.host]: { ...userOf('plain'), ...pem },
      [sources.variable.host]: variable,
      [destination.host]: { ...userOf('sealed'), ...insecure },
      ...Object.fromEntries([sources.docker.host, ...helpers].map((host) => [host, insecure])),
    }),
  );
  const environment = {
    ...pass.environment,
    HOME: desk.environment['HOME'],
    DOCKER_CONFIG: pass.folder,
    SOURCE_PASSWORD: passwordOf('variable'),
    PATH: [folder, desk.environment['PATH']].join(delimiter),
  };

  const start = (parameters: readonly string[], options?: RunOptions) => {
    const command = desk.start(parameters, {
      ...options,
      environment: { ...environment, ...options?.environment },
    });
    pid = command.child.pid;
    return command;
  };
  return {
    ...{ desk, environment, sources, destination, helperSaw, start },
    secrets: [
      ...['plain', 'variable', 'helper', 'sealed'].map((name) => ({
        ...{ what: `the password of ${name}`, text: passwordOf(name) },
      })),
      // docker-credential-pass itself shows the names of its users to everybody.
      ...['plain', 'variable', 'sealed'].map((name) => ({
        ...{ what: `the user of ${name}`, text: userOf(name).username },
      })),
      { what: "docker's identity token", text: dockerToken },
      { what: "the helper's identity token", text: helperToken },
      ...tls.key
        .split('\n')
        .filter((line) => line.length === 64)
        .map((text) => ({ what: "the client's key", text })),
    ],
    keepers: [desk.keyFile, desk.path('key.pem'), helperSaw],
    run: async (parameters, options) => start(parameters, options).ended,
    seenArguments: () => [...seen].join('\n'),
  };
}

function userOf(name: string): User {
  return { username: `user+${name}=ä`, password: passwordOf(name) };
}

/** `docker-credential-pass`, but for a look at the arguments of all processes; gives its folder. */
async function writeHelper(parent: string, saw: string): Promise<string> {
  const folder = join(parent, 'bin');
  await mkdir(folder);
  const program = join(folder, 'docker-credential-watched');
  const look = `for list in /proc/[0-9]*/cmdline; do tr '\\0' ' ' < "$list" >> '${saw}'; done 2>/dev/null`;
  await writeFile(program, `#!/bin/sh\n${look}\nexec docker-credential-pass "$@"\n`);
  await chmod(program, 0o755);
  return folder;
}
