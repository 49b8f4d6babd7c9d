import type { Cluster, Unreadable } from './cluster.ts';
import { endsEverything } from './errors.ts';
import { fieldsAt, textAt } from './fields.ts';
import { NAMESPACES, resourceName } from './resources.ts';

/** Where to look. */
export interface Scope {
  /** undefined: in all namespaces */
  readonly namespaces: readonly string[] | undefined;
  /** The names of all namespaces, asked for where lists of all at once are forbidden; undefined: forbidden too. */
  allNamespaces(): Promise<readonly string[] | undefined>;
}

interface Found {
  readonly scope: Scope;
  /** namespaces that were asked for and do not exist */
  readonly missing: readonly Unreadable[];
}

/** Leaves out the namespaces that do not exist: listing them gives nothing, and no error. */
export async function scopeOf(
  cluster: Cluster,
  wanted: readonly string[] | undefined,
  signal: AbortSignal | undefined,
): Promise<Found> {
  let all: Promise<readonly string[] | undefined> | undefined;
  const allNamespaces = () => {
    all ??= namespaceNames(cluster, signal);
    return all;
  };
  if (!wanted) return { scope: { namespaces: undefined, allNamespaces }, missing: [] };
  const names = [...new Set(wanted)];
  const exist = await Promise.all(names.map((name) => cluster.hasNamespace(name, signal)));
  const missing = names
    .filter((_, index) => !exist[index])
    .map((namespace) => ({
      resource: resourceName(NAMESPACES),
      namespace,
      reason: `there is no namespace "${namespace}" in ${cluster.name}`,
    }));
  const namespaces = names.filter((_, index) => exist[index]);
  return { scope: { namespaces, allNamespaces }, missing };
}

async function namespaceNames(
  cluster: Cluster,
  signal: AbortSignal | undefined,
): Promise<readonly string[] | undefined> {
  const names: string[] = [];
  try {
    for await (const object of cluster.list(NAMESPACES, { signal })) {
      const name = textAt(fieldsAt(object, 'metadata'), 'name');
      if (name !== undefined) names.push(name);
    }
    return names;
  } catch (error) {
    if (endsEverything(error)) throw error;
    return undefined;
  }
}
