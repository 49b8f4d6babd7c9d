import type { Cluster, Unreadable } from './cluster.ts';
import { type ClusterError, endsEverything } from './errors.ts';
import { type Resource, resourceName } from './resources.ts';
import type { Scope } from './scope.ts';
import { sideBySide } from './side-by-side.ts';

export type Visit = (object: unknown, resource: Resource) => void;

/** A list that could not be read. */
export interface Failure extends Unreadable {
  readonly error: ClusterError;
}

// Enough to hide the way to the server; more would be held back by the server's own fairness.
const LISTS_SIDE_BY_SIDE = 4;

/**
 * Hands every object of some resources to `visit`, as far as permissions go.
 *
 * @returns what could not be read
 * @throws {ClusterError} the server cannot be reached, or does not know us
 */
export async function readEach(
  cluster: Cluster,
  resources: readonly Resource[],
  scope: Scope,
  visit: Visit,
  signal?: AbortSignal,
): Promise<readonly Failure[]> {
  const failures = await sideBySide(
    resources,
    LISTS_SIDE_BY_SIDE,
    (resource, signal) =>
      readOne(cluster, resource, scope, (object) => visit(object, resource), signal),
    signal,
  );
  return failures.flat();
}

async function readOne(
  cluster: Cluster,
  resource: Resource,
  scope: Scope,
  visit: (object: unknown) => void,
  signal: AbortSignal,
): Promise<readonly Failure[]> {
  const tryIn = async (namespace?: string): Promise<readonly Failure[]> => {
    try {
      for await (const object of cluster.list(resource, { namespace, signal })) visit(object);
      return [];
    } catch (error) {
      if (endsEverything(error)) throw error;
      return [failureOf(error as ClusterError, resource, namespace)];
    }
  };
  const tryEach = async (namespaces: readonly string[]): Promise<readonly Failure[]> => {
    const failures: Failure[] = [];
    for (const namespace of namespaces) failures.push(...(await tryIn(namespace)));
    return failures;
  };

  if (scope.namespaces) return tryEach(scope.namespaces);
  const [whole] = await tryIn();
  if (whole?.error.reason !== 'forbidden') return whole ? [whole] : [];
  const names = await scope.allNamespaces();
  const failures = await tryEach(names ?? [cluster.namespace]);
  if (names && failures.length < names.length) return failures;
  const seen =
    names || failures.length > 0 ? '' : `; only the namespace ${cluster.namespace} was read`;
  return [{ ...whole, reason: `${whole.reason}${seen}` }];
}

function failureOf(error: ClusterError, resource: Resource, namespace?: string): Failure {
  return {
    resource: resourceName(resource),
    ...(namespace === undefined ? {} : { namespace }),
    reason: error.said ?? error.message,
    error,
  };
}
