import { Flags } from '@oclif/core';
import { type Exit, MigrateCommand } from '../base.ts';
import { defaultsOf, runFlags } from '../copy/flags.ts';

export default class AuthCheck extends MigrateCommand {
  static override summary = 'Try the logins that a run would need.';

  static override description = [
    'Each login is tried once for each registry and right that images.json asks of it, on the first repository that needs it.',
    'To pull, its manifest is looked at, or its list of tags. To push, an upload session is opened and cancelled at once: no bytes are sent, and nothing is left behind.',
    'Without an images.json every entry of auth.json is tried, and nothing is asked of it but to log in.',
  ].join(' ');

  static override examples = [
    {
      description: 'Try what ./images.json needs, with the logins of ./auth.json',
      command: '<%= config.bin %> <%= command.id %>',
    },
    {
      description: 'Can this machine push there at all?',
      command: `echo '{"nginx:1.27": "registry.example.com/mirror/nginx"}' | <%= config.bin %> <%= command.id %> --images -`,
    },
  ];

  static override flags = {
    auth: runFlags.auth,
    images: Flags.string({
      description:
        'the map of source images to destinations; - is standard input [default: ./images.json, if there is one]',
      helpValue: 'PATH',
    }),
    registry: runFlags.registry,
    namespace: runFlags.namespace,
    'default-source-registry': runFlags['default-source-registry'],
    'default-source-namespace': runFlags['default-source-namespace'],
    output: runFlags.output,
  };

  override async work(signal: AbortSignal): Promise<Exit> {
    const { flags } = await this.parse(AuthCheck);
    const { tryLogins } = await import('./trial.ts');
    return tryLogins({
      auth: flags.auth,
      images: flags.images,
      defaults: defaultsOf(flags),
      json: flags.output === 'json',
      configFolder: this.config.configDir,
      signal,
    });
  }
}
