import { systemReason } from '../text/file.ts';

/** What went wrong with standard output or standard error while a command ran. */
export interface Streams {
  /** one line, or undefined: a reader that went away (`| head`) is no failure */
  failure(): string | undefined;
}

/**
 * Keeps standard output and standard error from ending the work: a reader may go away, and the disk behind a
 * redirection may be full. oclif would throw for the latter, in the middle of everything.
 */
export function watchStreams(): Streams {
  let failed: string | undefined;
  const names = { 'standard output': process.stdout, 'standard error': process.stderr };
  for (const [name, stream] of Object.entries(names)) {
    stream.removeAllListeners('error');
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') failed ??= `cannot write to ${name}: ${systemReason(error)}`;
    });
  }
  return { failure: () => failed };
}

/** Waits until a stream has tried to write everything that it was given. */
export function written(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    stream.write('', () => resolve());
  });
}
