/** The log file cannot be opened or written; `path` is where it was to be. */
export class LogError extends Error {
  override readonly name = 'LogError';
  readonly path: string;

  constructor(path: string, cause: unknown) {
    const reason =
      cause instanceof Error ? cause.message.replace(/, \w+( '.*')?$/s, '') : 'unknown';
    super(`the log file ${path} cannot be written (${reason}): name another one with --log`, {
      cause,
    });
    this.path = path;
  }
}
