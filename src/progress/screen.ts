import { stripVTControlCharacters } from 'node:util';
import { columnsOf, rowsOf, type Terminal } from './terminal.ts';
import { widthOf } from './width.ts';

const HIDE_CURSOR = '\u001b[?25l';
const SHOW_CURSOR = '\u001b[?25h';
const UP = '\u001b[A';
const CLEAR_LINE = '\u001b[2K';
const CLEAR_BELOW = '\u001b[J';
const WRAP_OFF = '\u001b[?7l';
const WRAP_ON = '\u001b[?7h';
// A terminal that knows synchronized output shows a frame whole; the others ignore this.
const BEGIN_FRAME = '\u001b[?2026h';
const END_FRAME = '\u001b[?2026l';

/** A block of rows at the end of a terminal's text, drawn again in place; finished text stands above it. */
export interface Screen {
  /** Puts text above the block, with the next frame. */
  above(text: string): void;
  /** @param rows - each at most as wide as the terminal; the first ones are left out where it is too low */
  draw(rows: readonly string[]): void;
  /** Takes the block away, and leaves the cursor visible at the beginning of a line. */
  close(): void;
  /** Leaves the last frame as it stands, for a process that ends in another way than it should. */
  abandon(): void;
}

/** The cursor always waits on an empty line below the block, so that whatever ends the process writes on a line of its own. */
export function openScreen(terminal: Terminal): Screen {
  let drawn: readonly string[] = [];
  let drawnColumns = columnsOf(terminal);
  let finished = '';
  let hidden = false;

  function frame(rows: readonly string[], columns: number): string {
    const text = finished;
    finished = '';
    const lines = linesOf(drawn, drawnColumns, columns);
    // Line by line where nothing is drawn over it: tmux keeps a copy of what one command clears from the top of its window.
    const back = (text || rows.length === 0 ? UP + CLEAR_LINE : UP).repeat(lines);
    // Cleared before, not after: a cursor that waits at the end of a full line stands on its last character.
    const block = rows.map((row) => `${CLEAR_LINE}${row}\n`).join('');
    return `${back}\r${text}${block && WRAP_OFF + block + WRAP_ON + CLEAR_BELOW}`;
  }

  return {
    above(text) {
      finished += text.endsWith('\n') ? text : `${text}\n`;
    },
    draw(rows) {
      const columns = columnsOf(terminal);
      const visible = rows.slice(-Math.max(1, rowsOf(terminal) - 1));
      const same = columns === drawnColumns && visible.join('\n') === drawn.join('\n');
      if (same && finished === '') return;
      const hide = hidden ? '' : HIDE_CURSOR;
      terminal.write(BEGIN_FRAME + hide + frame(visible, columns) + END_FRAME);
      hidden = true;
      drawn = visible;
      drawnColumns = columns;
    },
    close() {
      if (hidden || finished) terminal.write(frame([], columnsOf(terminal)) + SHOW_CURSOR);
      drawn = [];
      hidden = false;
    },
    abandon() {
      if (hidden || finished) terminal.write(finished + SHOW_CURSOR);
      drawn = [];
      finished = '';
      hidden = false;
    },
  };
}

/**
 * Terminals break the lines that they show when they become narrower, and join them again when wider. What
 * that pushes out of a low window is out of reach.
 */
function linesOf(rows: readonly string[], drawnColumns: number, columns: number): number {
  if (columns >= drawnColumns) return rows.length;
  return rows.reduce(
    (lines, row) => lines + Math.max(1, Math.ceil(visibleWidth(row) / columns)),
    0,
  );
}

function visibleWidth(row: string): number {
  return widthOf(stripVTControlCharacters(row));
}
