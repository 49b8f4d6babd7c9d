import { ClusterError } from './errors.ts';
import type { Fields } from './fields.ts';
import { fieldsAt, listAt, textAt } from './fields.ts';
import {
  type ClusterEntry,
  type ContextEntry,
  clusterEntry,
  contextEntry,
  type UserEntry,
  userEntry,
} from './kubeconfig-entries.ts';

/** One kubeconfig file, or several of them merged. */
export interface Kubeconfig {
  /** where it comes from, for messages */
  readonly files: readonly string[];
  readonly currentContext?: string | undefined;
  readonly clusters: ReadonlyMap<string, ClusterEntry>;
  readonly users: ReadonlyMap<string, UserEntry>;
  readonly contexts: ReadonlyMap<string, ContextEntry>;
}

/** What a user may say beside the files; the names are those of kubectl's flags. */
export interface Overrides {
  readonly context?: string | undefined;
  readonly cluster?: string | undefined;
  readonly user?: string | undefined;
  readonly as?: string | undefined;
  readonly asUid?: string | undefined;
  readonly asGroups?: readonly string[] | undefined;
}

/** The one cluster that is meant, and who asks it. */
export interface Access {
  /** name of the context; empty where cluster and user were named instead */
  readonly context: string;
  readonly cluster: ClusterEntry;
  readonly userName: string;
  readonly user: UserEntry;
  readonly namespace: string;
}

/**
 * Reads the content of one kubeconfig file.
 *
 * @param folder - where the file lies: relative paths start there
 * @throws {ClusterError} it defines a name twice
 */
export function kubeconfigOf(content: unknown, file: string, folder: string): Kubeconfig {
  const fields = fieldsAt(content);
  return {
    files: [file],
    currentContext: textAt(fields, 'current-context'),
    clusters: named(fields, 'clusters', 'cluster', file, (entry) => clusterEntry(entry, folder)),
    users: named(fields, 'users', 'user', file, (entry) => userEntry(entry, folder)),
    contexts: named(fields, 'contexts', 'context', file, contextEntry),
  };
}

/** Merges files as kubectl does: the first file to define a name, or the current context, wins. */
export function mergeKubeconfigs(kubeconfigs: readonly Kubeconfig[]): Kubeconfig {
  return {
    files: kubeconfigs.flatMap(({ files }) => files),
    currentContext: kubeconfigs.find(({ currentContext }) => currentContext)?.currentContext,
    clusters: firstOfEach(kubeconfigs.map(({ clusters }) => clusters)),
    users: firstOfEach(kubeconfigs.map(({ users }) => users)),
    contexts: firstOfEach(kubeconfigs.map(({ contexts }) => contexts)),
  };
}

/** Whether the files say nothing, so that kubectl would go on to look for a pod's service account. */
export function isEmptyKubeconfig({ clusters, users, contexts }: Kubeconfig): boolean {
  return clusters.size + users.size + contexts.size === 0;
}

/**
 * Chooses the cluster and the user that are meant.
 *
 * @throws {ClusterError} a context, cluster or user that does not exist, or none is chosen
 */
export function accessOf(kubeconfig: Kubeconfig, overrides: Overrides): Access {
  const name = overrides.context ?? kubeconfig.currentContext ?? '';
  const context = name === '' ? undefined : entryOf(kubeconfig, 'contexts', 'context', name, name);
  const clusterName = overrides.cluster ?? context?.cluster ?? '';
  if (clusterName === '') throw nothingChosen(kubeconfig, name);
  const cluster = entryOf(kubeconfig, 'clusters', 'cluster', clusterName, name);
  const userName = overrides.user ?? context?.user ?? '';
  // A context without user is fine: servers behind `kubectl proxy` need none.
  const user = userName === '' ? {} : entryOf(kubeconfig, 'users', 'user', userName, name);
  if (!URL.canParse(cluster.server) || !/^https?:/.test(cluster.server))
    throw new ClusterError(
      'configuration',
      `the cluster "${clusterName}" has no usable server address in ${kubeconfig.files.join(', ')}`,
      { context: name, hint: 'Give it a "server" that starts with https://.' },
    );
  const namespace = context?.namespace ?? 'default';
  return { context: name, cluster, userName, user: actingAs(user, overrides), namespace };
}

/** For messages: ` of context "production"`; empty where cluster and user were named instead. */
export function ofContext({ context }: Access): string {
  return context === '' ? '' : ` of context "${context}"`;
}

/** The same user, acting for the one that was named beside the files. */
export function actingAs(user: UserEntry, { as, asUid, asGroups }: Overrides): UserEntry {
  return {
    ...user,
    ...(as === undefined ? {} : { as }),
    ...(asUid === undefined ? {} : { asUid }),
    ...(asGroups === undefined || asGroups.length === 0 ? {} : { asGroups }),
  };
}

function entryOf<Table extends 'clusters' | 'users' | 'contexts'>(
  kubeconfig: Kubeconfig,
  table: Table,
  noun: string,
  name: string,
  context: string,
): Kubeconfig[Table] extends ReadonlyMap<string, infer Entry> ? Entry : never {
  const entry = kubeconfig[table].get(name);
  if (entry) return entry as never;
  const names = [...kubeconfig[table].keys()].sort();
  throw new ClusterError(
    'configuration',
    `the ${noun} "${name}" does not exist in ${kubeconfig.files.join(', ')}`,
    { context, hint: names.length > 0 ? `These exist: ${names.join(', ')}.` : undefined },
  );
}

function nothingChosen({ contexts, files }: Kubeconfig, context: string): ClusterError {
  const message =
    context === ''
      ? `no current context is set in ${files.join(', ')}`
      : `the context "${context}" names no cluster`;
  const names = [...contexts.keys()].sort();
  const hint = `Name one with --context${names.length > 0 ? `: ${names.join(', ')}` : ''}.`;
  return new ClusterError('configuration', message, { context, hint });
}

function named<Entry>(
  fields: Fields,
  list: string,
  key: string,
  file: string,
  entryOfFields: (fields: Fields) => Entry,
): ReadonlyMap<string, Entry> {
  const entries = new Map<string, Entry>();
  for (const item of listAt(fields, list)) {
    const name = textAt(fieldsAt(item), 'name') ?? '';
    if (entries.has(name))
      throw new ClusterError('configuration', `${file}: the ${key} "${name}" is defined twice`, {
        hint: 'Remove one of the two.',
      });
    entries.set(name, entryOfFields(fieldsAt(item, key)));
  }
  return entries;
}

function firstOfEach<Entry>(
  maps: readonly ReadonlyMap<string, Entry>[],
): ReadonlyMap<string, Entry> {
  return new Map(maps.toReversed().flatMap((map) => [...map]));
}
