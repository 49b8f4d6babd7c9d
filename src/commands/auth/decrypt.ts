import { Flags } from '@oclif/core';
import { type Exit, MigrateCommand } from '../base.ts';

export default class AuthDecrypt extends MigrateCommand {
  static override summary = 'Put the plain values back into auth.json.';

  static override description = [
    'Every encrypted value is opened; everything else in the file stays as it is, to the byte.',
    'Where one does not open, nothing is written.',
    'The next run encrypts the file again, unless it is told not to.',
  ].join(' ');

  static override examples = [
    {
      description: 'Open ./auth.json to edit it',
      command: '<%= config.bin %> <%= command.id %>',
    },
    {
      description: 'Look what it holds, and leave it as it is',
      command: '<%= config.bin %> <%= command.id %> --stdout',
    },
  ];

  static override flags = {
    auth: Flags.string({
      description: 'the file to open [default: ./auth.json]; - is standard input, with --stdout',
      helpValue: 'PATH',
    }),
    stdout: Flags.boolean({
      description: 'print what was opened to standard output, and leave the file alone',
    }),
  };

  override async work(): Promise<Exit> {
    const { flags } = await this.parse(AuthDecrypt);
    const { decrypt, print } = await import('./sealing.ts');
    const options = { path: flags.auth, configFolder: this.config.configDir };
    return flags.stdout ? print(options) : decrypt(options);
  }
}
