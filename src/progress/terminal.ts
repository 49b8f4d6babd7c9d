/** A terminal, as far as the progress view needs one: `process.stdout` and `process.stderr` fit. */
export interface Terminal {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
  write(text: string): unknown;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Whether to draw lanes rather than to write plain lines: on a terminal that can move its cursor, unless
 * `--no-progress`, `CI` or `NO_COLOR` say otherwise.
 *
 * @param flag - false for `--no-progress`
 * @see https://no-color.org
 */
export function wantsLanes(
  stream: Pick<Terminal, 'isTTY'>,
  environment: Environment,
  flag = true,
): boolean {
  if (!flag || stream.isTTY !== true || environment['TERM'] === 'dumb') return false;
  return !isSet(environment['CI']) && !environment['NO_COLOR'];
}

// People switch CI off for one command by CI=false, and continuous integration services never say so.
function isSet(value: string | undefined): boolean {
  return value !== undefined && !['', '0', 'false'].includes(value.toLowerCase());
}

/** A pseudo terminal whose size nobody set says 0. */
export function columnsOf(terminal: Terminal): number {
  return terminal.columns || 80;
}

export function rowsOf(terminal: Terminal): number {
  return terminal.rows || 24;
}

/** The stream as it is written to while what others write to it is led elsewhere. */
export function direct(stream: NodeJS.WriteStream): Terminal {
  const write = stream.write.bind(stream);
  return {
    write: (text) => write(text),
    get columns() {
      return stream.columns;
    },
    get rows() {
      return stream.rows;
    },
  };
}

/** Both standard streams usually end on one terminal, whichever is drawn on. */
export function sharers(stream: NodeJS.WriteStream): readonly NodeJS.WriteStream[] {
  return [stream, ...[process.stdout, process.stderr].filter(({ isTTY }) => isTTY)];
}
