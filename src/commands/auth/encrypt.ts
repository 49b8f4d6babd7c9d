import { Flags } from '@oclif/core';
import { type Exit, MigrateCommand } from '../base.ts';

export default class AuthEncrypt extends MigrateCommand {
  static override summary = 'Encrypt the plain logins of auth.json, as a run does afterwards.';

  static override description = [
    'User names and passwords are replaced by ciphertext; everything else in the file stays as it is, to the byte, references to the environment included.',
    'The key stays on this machine, in your configuration folder or in $MIGRATE_IMAGES_AUTH_KEY.',
  ].join(' ');

  static override examples = [
    {
      description: 'Encrypt ./auth.json before the first run',
      command: '<%= config.bin %> <%= command.id %>',
    },
  ];

  static override flags = {
    auth: Flags.string({
      description: 'the file to encrypt [default: ./auth.json]',
      helpValue: 'PATH',
    }),
  };

  override async work(): Promise<Exit> {
    const { flags } = await this.parse(AuthEncrypt);
    const { encrypt } = await import('./sealing.ts');
    return encrypt({ path: flags.auth, configFolder: this.config.configDir });
  }
}
