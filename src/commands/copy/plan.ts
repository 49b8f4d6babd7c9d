import { type Exit, MigrateCommand } from '../base.ts';
import { runFlags, runOptionsOf } from './flags.ts';

export default class CopyPlan extends MigrateCommand {
  static override summary = 'Say what a copy would do, and move nothing.';

  static override description = [
    'Images are looked at on both sides: which are new, which would replace what their destination names now, which are there already, and which would fail.',
    'Blobs are counted as the copy would send them, each once for each destination registry, for a registry that mounts and that nobody else writes to meanwhile.',
    'Exits with 1 where something would fail.',
  ].join(' ');

  static override examples = [
    {
      description: 'See what a copy of ./images.json would send',
      command: '<%= config.bin %> <%= command.id %>',
    },
    {
      description: 'Keep the plan, with every image and its bytes',
      command: '<%= config.bin %> <%= command.id %> -o json > plan.json',
    },
  ];

  static override flags = runFlags;

  override async work(signal: AbortSignal): Promise<Exit> {
    const { flags } = await this.parse(CopyPlan);
    const { preview } = await import('./preview.ts');
    return preview(runOptionsOf(flags, this.config, signal));
  }
}
