import { Flags } from '@oclif/core';
import { type Exit, MigrateCommand } from '../base.ts';
import { runFlags, runOptionsOf } from './flags.ts';

export default class CopyVerify extends MigrateCommand {
  static override summary = 'Prove that the destination holds what the source holds.';

  static override description = [
    'What each source names now is compared with what its destination names.',
    'Below that every manifest is read from the destination and hashed, and every blob is asked for and its size compared.',
    'With --deep the bytes of all blobs are read and hashed, too.',
    'Nothing is written. Exits with 1 where anything differs, is missing, or cannot be found out.',
  ].join(' ');

  static override examples = [
    {
      description: 'Check what "copy" brought over, as ./images.json names it',
      command: '<%= config.bin %> <%= command.id %>',
    },
    {
      description: 'Read every byte at the destination, too',
      command: '<%= config.bin %> <%= command.id %> --deep',
    },
    {
      description: 'Keep the proof',
      command: '<%= config.bin %> <%= command.id %> --deep -o json > proof.json',
    },
  ];

  static override flags = {
    ...runFlags,
    deep: Flags.boolean({
      description: 'read each blob once from each destination registry, and hash it',
    }),
  };

  override async work(signal: AbortSignal): Promise<Exit> {
    const { flags } = await this.parse(CopyVerify);
    const { audit } = await import('./audit.ts');
    return audit({ ...runOptionsOf(flags, this.config, signal), deep: flags.deep });
  }
}
