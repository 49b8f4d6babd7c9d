import { randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, readlink, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { DocumentError, FileError } from './errors.ts';

// A map of a million images is smaller by far; a device has no end.
const MAXIMUM_BYTES = 256 * 1024 * 1024;

/** The path that means standard input or standard output. */
export const STANDARD_STREAM = '-';

/**
 * Reads a text file, or standard input for `-`.
 *
 * @throws {FileError} it cannot be read; `code` of the cause says why
 * @throws {DocumentError} it is not UTF-8 (PowerShell's `>` writes UTF-16)
 */
export async function readText(path: string): Promise<string> {
  const bytes = await readBytes(path);
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new DocumentError(path, undefined, 'the file is not UTF-8 text; save it as UTF-8');
  }
}

/** The same, but undefined where there is no such file. */
export async function readTextIfThere(path: string): Promise<string | undefined> {
  try {
    return await readText(path);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/**
 * Reads a file that is then replaced by {@link replaceFile}.
 *
 * @throws {FileError} it cannot be read, or is a stream, which has no place for another text
 * @throws {DocumentError} it is not UTF-8
 */
export async function readReplaceable(path: string): Promise<string> {
  const streams = path === STANDARD_STREAM || (await isSpecial(path));
  if (streams) throw new FileError(`${path} is not a file that can be replaced`);
  return readText(path);
}

/**
 * Replaces a file as a whole or not at all: a reader sees the old text or the new one, also after a crash.
 * A symbolic link stays one, and what it points at is replaced.
 *
 * @param mode - permissions of the new file, for example 0o600
 * @throws {FileError} the folder or the file cannot be written
 */
export async function replaceFile(
  path: string,
  content: string | Uint8Array,
  mode: number,
): Promise<void> {
  try {
    const target = await targetOf(path);
    if (await isSpecial(target)) await writeFile(target, content);
    else await replaceTarget(target, content, mode);
  } catch (cause) {
    throw new FileError(`cannot write ${path}: ${systemReason(cause)}`, { cause });
  }
}

/** Whether a path leads to a file that can be read again and be replaced. */
export async function isRegularFile(path: string): Promise<boolean> {
  if (path === STANDARD_STREAM) return false;
  return (await stat(path).catch(() => undefined))?.isFile() === true;
}

/** Whether something stands there that is written to, and not replaced: a device or a pipe. */
async function isSpecial(target: string): Promise<boolean> {
  const there = await stat(target).catch(() => undefined);
  return there !== undefined && !there.isFile() && !there.isDirectory();
}

async function replaceTarget(
  target: string,
  content: string | Uint8Array,
  mode: number,
): Promise<void> {
  const draft = join(dirname(target), `.${basename(target)}.${randomBytes(6).toString('hex')}`);
  try {
    const file = await open(draft, 'wx', mode);
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(draft, target);
  } catch (error) {
    // The first failure is the one that matters.
    await rm(draft, { force: true }).catch(() => undefined);
    throw error;
  }
}

/** The file behind symbolic links, also where the last one points at nothing yet. */
async function targetOf(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    const link = await readlink(path).catch(() => undefined);
    return link === undefined ? path : targetOf(resolve(dirname(path), link));
  }
}

async function readBytes(path: string): Promise<Uint8Array> {
  const stream = path === STANDARD_STREAM ? process.stdin : createReadStream(path);
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const chunk of stream as AsyncIterable<Uint8Array>) {
      length += chunk.byteLength;
      if (length > MAXIMUM_BYTES) break;
      chunks.push(chunk);
    }
  } catch (cause) {
    throw new FileError(`cannot read ${path}: ${systemReason(cause)}`, { cause });
  }
  if (length > MAXIMUM_BYTES) throw new FileError(`cannot read ${path}: it has no end in sight`);
  return Buffer.concat(chunks, length);
}

function isMissing(error: unknown): boolean {
  return error instanceof FileError && (error.cause as NodeJS.ErrnoException).code === 'ENOENT';
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or folder',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EISDIR: 'it is a folder',
  ENOTDIR: 'a part of the path is not a folder',
  ELOOP: 'the symbolic links go round in a circle',
  EROFS: 'the file system is read-only',
  ENOSPC: 'the disk is full',
};

/** Why the operating system refused, in words. */
export function systemReason(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return (code && REASONS[code]) ?? code ?? message;
}
