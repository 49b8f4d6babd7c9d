import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DocumentError, FileError } from '../text/errors.ts';
import { readText, STANDARD_STREAM, systemReason } from '../text/file.ts';
import { ClusterError } from './errors.ts';

export interface ManifestFileOptions {
  /** look into folders below folders, too; kubectl does not unless it is told */
  readonly recursive?: boolean | undefined;
}

export interface ManifestFile {
  /** the path, for messages */
  readonly name: string;
  readonly text: string;
}

// What kubectl takes from a folder; a file that is named may be called anything.
const MANIFEST = /\.(?:ya?ml|json)$/;

/**
 * Reads what `-f` names, in the order of kubectl: paths as they are given, folders by name.
 *
 * @throws {ClusterError} a path that cannot be read, or a folder without manifests
 */
export async function manifestFiles(
  paths: readonly string[],
  { recursive = false }: ManifestFileOptions,
): Promise<readonly ManifestFile[]> {
  const files: ManifestFile[] = [];
  for (const path of paths)
    for (const name of await filesAt(path, recursive)) files.push({ name, text: await read(name) });
  return files;
}

async function filesAt(path: string, recursive: boolean): Promise<readonly string[]> {
  if (path === STANDARD_STREAM) return [path];
  const found = await stat(path).catch((cause: unknown) => {
    throw new ClusterError('configuration', `cannot read ${path}: ${systemReason(cause)}`, {
      cause,
    });
  });
  if (!found.isDirectory()) return [path];
  const entries = await readdir(path, { recursive });
  const manifests = entries.filter((entry) => MANIFEST.test(entry)).sort();
  if (manifests.length > 0) return manifests.map((entry) => join(path, entry));
  throw new ClusterError('configuration', `there is no manifest in ${path}`, {
    hint: 'Files that end in .yaml, .yml or .json are read.',
  });
}

async function read(path: string): Promise<string> {
  try {
    return await readText(path);
  } catch (cause) {
    if (!(cause instanceof FileError || cause instanceof DocumentError)) throw cause;
    throw new ClusterError('configuration', cause.message, { cause });
  }
}
