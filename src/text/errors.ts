import type { Position } from './position.ts';

/** A document that cannot be read as what it should be; the message starts with file, line and column. */
export class DocumentError extends Error {
  override readonly name = 'DocumentError';
  readonly file: string;
  readonly position: Position | undefined;

  constructor(file: string, position: Position | undefined, reason: string) {
    super(`${place(file, position)}: ${reason}`);
    this.file = file;
    this.position = position;
  }
}

/** A file that cannot be read or written. */
export class FileError extends Error {
  override readonly name = 'FileError';
}

function place(file: string, position: Position | undefined): string {
  return position ? `${file}:${position.line}:${position.column}` : file;
}
