import { Flags } from '@oclif/core';
import { type Exit, MigrateCommand } from '../base.ts';

export default class Copy extends MigrateCommand {
  static override summary = 'Migrate every image that images.json names to its destination.';

  static override description = [
    'Each image arrives byte for byte, with all its platforms.',
    'Blobs that a destination repository has already are not sent again, and a blob that many images share is sent once where the registry can mount.',
    'A second run goes on where the first one ended.',
  ].join(' ');

  static override examples = [
    {
      description: 'Copy what ./images.json names, with the logins of ./auth.json',
      command: '<%= config.bin %> <%= command.id %>',
    },
    {
      description: 'Send images whose destination is empty to one namespace, 20 at a time',
      command:
        '<%= config.bin %> <%= command.id %> --registry swr.eu-west-101.myhuaweicloud.eu --namespace team -w 20',
    },
    {
      description: 'Copy one image, and keep the report',
      command: `echo '{"nginx:1.27": "registry.example.com/mirror/nginx"}' | <%= config.bin %> <%= command.id %> --images - -o json > report.json`,
    },
  ];

  static override flags = {
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
    retries: Flags.integer({
      char: 'r',
      description: 'how often a failed image is tried again',
      default: 3,
      min: 0,
      max: 100,
      helpValue: 'N',
    }),
    workers: Flags.integer({
      char: 'w',
      description:
        'images in flight at a time, 1 to 256; unless it is given, small ones and what comes next go beside them',
      default: 7,
      min: 1,
      max: 256,
      helpValue: 'N',
    }),
    output: Flags.option({
      char: 'o',
      description: 'form of the final report',
      options: ['text', 'json'] as const,
      default: 'text',
    })(),
    progress: Flags.boolean({
      description: 'draw the progress on a terminal',
      default: true,
      allowNo: true,
    }),
    'encrypt-auth': Flags.boolean({
      description: 'encrypt the plain logins in auth.json after the run',
      default: true,
      allowNo: true,
    }),
  };

  override async work(signal: AbortSignal): Promise<Exit> {
    const { flags, metadata } = await this.parse(Copy);
    const { workers } = metadata.flags;
    const { migrate } = await import('./migrate.ts');
    return migrate({
      auth: flags.auth,
      images: flags.images,
      log: flags.log,
      defaults: {
        sourceRegistry: flags['default-source-registry'],
        sourceNamespace: flags['default-source-namespace'],
        registry: flags.registry,
        namespace: flags.namespace,
      },
      retries: flags.retries,
      workers: flags.workers,
      ahead: workers?.setFromDefault === true,
      json: flags.output === 'json',
      progress: flags.progress,
      encryptAuth: flags['encrypt-auth'],
      configFolder: this.config.configDir,
      signal,
    });
  }
}
