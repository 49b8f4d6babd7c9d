import { Flags } from '@oclif/core';
import { type Exit, MigrateCommand } from '../base.ts';
import { parseBandwidth } from './bandwidth.ts';
import { runFlags, runOptionsOf } from './flags.ts';

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
      description: 'See what that would send, and what would fail, before anything is moved',
      command: '<%= config.bin %> <%= command.id %> --dry-run',
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
    ...runFlags,
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
    'max-bandwidth': Flags.string({
      description: 'the most bytes of blobs a second, in all: 50MiB/s, 400Mbit/s',
      helpValue: 'RATE',
    }),
    progress: Flags.boolean({
      description: 'draw the progress on a terminal',
      default: true,
      allowNo: true,
    }),
    'dry-run': Flags.boolean({
      description: 'only say what would be done: the same as "copy plan"',
    }),
  };

  override async work(signal: AbortSignal): Promise<Exit> {
    const { flags, metadata } = await this.parse(Copy);
    const { workers } = metadata.flags;
    const options = runOptionsOf(flags, this.config, signal);
    const bandwidth = flags['max-bandwidth'];
    const bytesPerSecond = bandwidth === undefined ? undefined : parseBandwidth(bandwidth);
    if (flags['dry-run']) {
      const { preview } = await import('./preview.ts');
      return preview(options);
    }
    const { migrate } = await import('./migrate.ts');
    return migrate({
      ...options,
      retries: flags.retries,
      workers: flags.workers,
      ahead: workers?.setFromDefault === true,
      bytesPerSecond,
      progress: flags.progress,
    });
  }
}
