import { Command, Flags } from '@oclif/core';
import { printable } from '../text/printable.ts';
import { explain } from './explain.ts';
import { interruption } from './interruption.ts';
import { watchStreams, written } from './streams.ts';
import { usageErrorOf } from './usage.ts';

/** What a process says about how it ended. */
export const EXIT = { done: 0, incomplete: 1, notStarted: 2, interrupted: 130 } as const;

export type Exit = (typeof EXIT)[keyof typeof EXIT];

/**
 * What all commands share: Ctrl-C becomes an AbortSignal, what `work` gives becomes the exit code, and an error
 * that ends everything becomes one line in words.
 */
export abstract class MigrateCommand extends Command {
  static override baseFlags = {
    help: Flags.help({ char: 'h', description: 'show this help' }),
  };

  // Else oclif takes `copy images.json` for a command of that name, below `copy`. Its parser asks the class itself,
  // not what it extends, and still refuses the argument.
  static override strict = false;

  /** Does the command's work and says how it went. */
  abstract work(signal: AbortSignal): Promise<Exit>;

  override async run(): Promise<void> {
    const { signal, release } = interruption();
    const streams = watchStreams();
    // Whoever reads from a terminal would go on waiting for it.
    signal.addEventListener('abort', () => process.stdin.destroy());
    try {
      // Work that ends without a word, because nothing is left that could go on, is not done.
      process.exitCode = EXIT.incomplete;
      process.exitCode = await this.work(signal);
      await written(process.stdout);
      const failure = streams.failure();
      if (failure === undefined) return;
      process.stderr.write(`error: ${failure}\n`);
      process.exitCode ||= EXIT.incomplete;
    } catch (error) {
      if (!signal.aborted) throw error;
      process.stderr.write('interrupted\n');
      process.exitCode = EXIT.interrupted;
    } finally {
      release();
    }
  }

  // oclif would print a stack, or its own frame around the message; kubectl's users expect one line.
  protected override async catch(error: Error & { oclif?: { exit?: number } }): Promise<void> {
    if (error.oclif?.exit === 0) throw error;
    // Where NODE_ENV says development, oclif would warn that nothing was parsed.
    this.parsed = true;
    const help = `see "${this.config.bin} ${this.id?.replaceAll(':', ' ')} --help"`;
    const { message, hint } = explain(usageErrorOf(error, help) ?? error);
    const [first = '', ...rest] = message.split('\n');
    process.stderr.write(`error: ${printable(first, 1000)}\n`);
    for (const line of rest) if (line.trim()) process.stderr.write(`${printable(line, 1000)}\n`);
    if (hint) process.stderr.write(`${hint}\n`);
    process.exitCode = EXIT.notStarted;
  }
}
