import { spawnSync } from 'node:child_process';
import { setTimeout as wait } from 'node:timers/promises';

const TRIES = 400;
const BETWEEN_TRIES_MS = 25;

const BETWEEN = '=== the same, joined ===';

/** A real terminal of a given size, with one program in it. */
export interface Pane {
  /** what stands in it, by line; `joined` undoes the breaking of lines that were too wide */
  lines(options?: { readonly joined?: boolean; readonly history?: boolean }): readonly string[];
  /** The same moment twice: as it stands, and with the breaking of lines that were too wide undone. */
  unwrapped(): { readonly shown: readonly string[]; readonly joined: readonly string[] };
  /**
   * Waits until a line matches.
   *
   * @throws {Error} none does for ten seconds; the message holds what stands there instead
   */
  until(pattern: RegExp): Promise<readonly string[]>;
  resize(columns: number, rows: number): void;
  press(key: string): void;
  cursor(): { readonly column: number; readonly visible: boolean; readonly wraps: boolean };
  close(): void;
}

let opened = 0;

/** Runs a shell command in a tmux of its own, without anybody's configuration and without echo. */
export function openPane(columns: number, rows: number, command: string): Pane {
  opened += 1;
  const socket = `migrate-images-test-${process.pid}-${opened}`;
  const tmux = (...parameters: readonly string[]): string => {
    const result = spawnSync('tmux', ['-L', socket, '-f', '/dev/null', ...parameters], {
      encoding: 'utf8',
    });
    if (result.status !== 0) throw new Error(`tmux ${parameters[0]}: ${result.stderr}`);
    return result.stdout;
  };
  // The shell survives Ctrl-C, to tell how the program ended, and then keeps the pane open.
  const script = `trap : INT; stty -echo; ${command}; echo "code $?"; read line`;
  const size = ['-x', String(columns), '-y', String(rows)];
  tmux('new-session', '-d', ...size, 'sh', '-c', script);

  function lines(options: { readonly joined?: boolean; readonly history?: boolean } = {}) {
    const joined = options.joined ? ['-J'] : [];
    const history = options.history ? ['-S', '-'] : [];
    return linesOf(tmux('capture-pane', '-p', ...joined, ...history));
  }

  // One command for both, since the program draws on.
  function unwrapped() {
    const both = tmux(
      ...['capture-pane', '-p', ';', 'display-message', '-p', BETWEEN, ';'],
      ...['capture-pane', '-p', '-J'],
    );
    const [shown = '', joined = ''] = both.split(`${BETWEEN}\n`);
    return { shown: linesOf(shown), joined: linesOf(joined) };
  }

  return {
    lines,
    unwrapped,
    async until(pattern) {
      for (let attempt = 0; attempt < TRIES; attempt += 1) {
        const found = lines({ history: true });
        if (found.some((line) => pattern.test(line))) return found;
        await wait(BETWEEN_TRIES_MS);
      }
      throw new Error(`no line matches ${pattern}:\n${lines().join('\n')}`);
    },
    resize: (width, height) => {
      tmux('resize-window', '-x', String(width), '-y', String(height));
    },
    press: (key) => {
      tmux('send-keys', key);
    },
    cursor() {
      const format = '#{cursor_x} #{cursor_flag} #{wrap_flag}';
      const [column, visible, wraps] = tmux('display-message', '-p', format).trim().split(' ');
      return { column: Number(column), visible: visible === '1', wraps: wraps === '1' };
    },
    close: () => {
      tmux('kill-server');
    },
  };
}

function linesOf(text: string): readonly string[] {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => line.trimEnd());
}
