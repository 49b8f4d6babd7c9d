import { Flags, type Interfaces } from '@oclif/core';
import type { Defaults } from '../../copy/defaults.ts';
import { journalFolder } from '../../registry/session-journal.ts';
import type { RunOptions } from './run.ts';

/** The flags that `copy`, `copy plan` and `copy verify` share: what is meant, and how to get there. */
export const runFlags = {
  auth: Flags.string({
    description: 'logins for registries [default: ./auth.json, if there is one]',
    helpValue: 'PATH',
  }),
  images: Flags.string({
    description: 'the map of source images to destinations; - is standard input',
    default: './images.json',
    helpValue: 'PATH',
  }),
  log: Flags.string({
    description: 'where to append what happens, as JSON lines',
    default: './image-migrator.log',
    helpValue: 'PATH',
  }),
  registry: Flags.string({
    description: 'destination registry of rules that name none',
    env: 'DEFAULT_REGISTRY',
    helpValue: 'HOST',
  }),
  namespace: Flags.string({
    description: 'destination namespace of rules that name none',
    env: 'DEFAULT_NAMESPACE',
    helpValue: 'NAME',
  }),
  'default-source-registry': Flags.string({
    description: 'registry of sources that name none',
    default: 'docker.io',
    helpValue: 'HOST',
  }),
  'default-source-namespace': Flags.string({
    description: 'namespace of sources that name none',
    default: 'library',
    helpValue: 'NAME',
  }),
  rps: Flags.integer({
    description: 'the most requests a second to each registry [default: as many as it takes]',
    min: 1,
    max: 10_000,
    helpValue: 'N',
  }),
  output: Flags.option({
    char: 'o',
    description: 'form of the final report',
    options: ['text', 'json'] as const,
    default: 'text',
  })(),
  'encrypt-auth': Flags.boolean({
    description: 'encrypt the plain logins in auth.json after the run',
    default: true,
    allowNo: true,
  }),
};

type RunFlags = Interfaces.InferredFlags<typeof runFlags>;

type DefaultFlags = Pick<
  RunFlags,
  'registry' | 'namespace' | 'default-source-registry' | 'default-source-namespace'
>;

/** What a command line says of rules that leave something out. */
export function defaultsOf(flags: DefaultFlags): Defaults {
  return {
    sourceRegistry: flags['default-source-registry'],
    sourceNamespace: flags['default-source-namespace'],
    registry: flags.registry,
    namespace: flags.namespace,
  };
}

/** What a command line says of a run. */
export function runOptionsOf(
  flags: RunFlags,
  { configDir, home, dirname }: Pick<Interfaces.Config, 'configDir' | 'home' | 'dirname'>,
  signal: AbortSignal,
): RunOptions {
  return {
    auth: flags.auth,
    images: flags.images,
    log: flags.log,
    defaults: defaultsOf(flags),
    rps: flags.rps,
    json: flags.output === 'json',
    encryptAuth: flags['encrypt-auth'],
    configFolder: configDir,
    journal: journalFolder(process.env, home, dirname),
    signal,
  };
}
