import { homedir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { type Document, LineCounter, parseDocument } from 'yaml';
import { FileError } from '../text/errors.ts';
import { readText, readTextIfThere } from '../text/file.ts';
import { reasonOf } from '../text/yaml.ts';
import type { Environment } from './environment.ts';
import { ClusterError } from './errors.ts';
import { inClusterAccess } from './in-cluster.ts';
import {
  type Access,
  accessOf,
  actingAs,
  isEmptyKubeconfig,
  type Kubeconfig,
  kubeconfigOf,
  mergeKubeconfigs,
  type Overrides,
} from './kubeconfig.ts';

export interface LoadOptions extends Overrides {
  /** the one file to read; it must exist */
  readonly kubeconfig?: string | undefined;
  readonly environment: Environment;
}

/**
 * Finds out which cluster is meant, by kubectl's rules: the file that is named, else those of KUBECONFIG,
 * else ~/.kube/config; and where they say nothing, the service account of the pod that we run in.
 *
 * @throws {ClusterError} a file is broken, or none leads to a cluster
 * @see https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/
 */
export async function loadAccess(options: LoadOptions): Promise<Access> {
  const { environment } = options;
  const paths = options.kubeconfig ? [options.kubeconfig] : defaultPaths(environment);
  const contents = await Promise.all(
    paths.map((path) => readKubeconfig(path, options.kubeconfig !== undefined)),
  );
  const kubeconfig = mergeKubeconfigs(contents.filter((content) => content !== undefined));
  if (!isEmptyKubeconfig(kubeconfig)) return accessOf(kubeconfig, options);
  const access = await inClusterAccess(environment);
  if (access) return { ...access, user: actingAs(access.user, options) };
  throw new ClusterError('configuration', `no cluster is configured in ${paths.join(', ')}`, {
    hint: 'Set KUBECONFIG, or name a file with --kubeconfig.',
  });
}

/** The files that kubectl reads when none is named; an empty KUBECONFIG counts as unset. */
export function defaultPaths(environment: Environment): readonly string[] {
  const listed = environment['KUBECONFIG'];
  if (listed) return [...new Set(listed.split(delimiter).filter((path) => path !== ''))];
  return [join(environment['HOME'] || homedir(), '.kube', 'config')];
}

async function readKubeconfig(path: string, required: boolean): Promise<Kubeconfig | undefined> {
  const text = await (required ? readText(path) : readTextIfThere(path)).catch((cause: unknown) => {
    if (!(cause instanceof FileError)) throw cause;
    throw new ClusterError('configuration', cause.message, { cause });
  });
  if (text === undefined) return undefined;
  return kubeconfigOf(parse(text, path), path, dirname(resolve(path)));
}

/** Aliases may point nowhere, merge what is no map, or multiply without end. */
function contentOf(document: Document, path: string): unknown {
  try {
    return document.toJS();
  } catch (cause) {
    const reason = reasonOf((cause as Error).message);
    throw new ClusterError('configuration', `${path}: broken YAML: ${reason}`, { cause });
  }
}

function parse(text: string, path: string): unknown {
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    uniqueKeys: false,
    merge: true,
  });
  const [error] = document.errors;
  if (error) {
    const { line, col } = lines.linePos(error.pos[0]);
    const reason = reasonOf(error.message);
    throw new ClusterError('configuration', `${path}:${line}:${col}: broken YAML: ${reason}`);
  }
  const content = contentOf(document, path);
  if (content === null || typeof content === 'object') return content;
  throw new ClusterError('configuration', `${path}:1:1: this is not a kubeconfig file`);
}
