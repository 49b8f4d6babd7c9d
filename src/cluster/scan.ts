import type { Cluster } from './cluster.ts';
import { type Gathering, gathering, type Inventory, sortUnreadable } from './inventory.ts';
import { isHistory, isSaidByOwner, topOwner } from './owners.ts';
import { type Failure, readEach } from './read.ts';
import { PODS, type Resource } from './resources.ts';
import { scopeOf } from './scope.ts';
import { parseSelector, type Selector } from './selector.ts';
import { runningDigest, type Workload, workloadOf } from './workload.ts';

export interface ScanOptions {
  /** all namespaces where it is missing */
  readonly namespaces?: readonly string[] | undefined;
  /** a label selector on workloads, and on pods that no workload made */
  readonly selector?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Finds every image that a cluster, or a set of manifests, uses or would use. Each is reported with the
 * workloads at the top: a Deployment rather than its pods.
 *
 * @throws {ClusterError} nothing could be read at all, or the selector is none
 */
export async function scan(cluster: Cluster, options: ScanOptions = {}): Promise<Inventory> {
  const { signal } = options;
  const selector = parseSelector(options.selector ?? '');
  const { scope, missing } = await scopeOf(cluster, options.namespaces, signal);
  const resources = await cluster.resources(signal);
  const found = gathering();
  const owners = new Map<string, Workload>();

  // Pods come last and are forgotten one by one: there may be many, and all else is known by then.
  const makers = resources.filter((resource) => resource !== PODS);
  const keep = (object: unknown, resource: Resource) => {
    const workload = workloadOf(object, resource);
    owners.set(workload.uid, workload);
  };
  const failures = [...(await readEach(cluster, makers, scope, keep, signal))];
  for (const workload of owners.values()) mention(workload, owners, selector, found);

  const pods = resources.filter((resource) => resource === PODS);
  const look = (object: unknown, resource: Resource) => {
    const pod = workloadOf(object, resource);
    if (!mention(pod, owners, selector, found)) return;
    for (const image of pod.images) {
      const digest = runningDigest(object, image);
      if (digest) found.run(image.image, digest);
    }
  };
  failures.push(...(await readEach(cluster, pods, scope, look, signal)));

  throwIfNothingWasRead(failures, resources.length * (scope.namespaces?.length ?? 1));
  const unreadable = failures.map(({ error: _, ...unreadable }) => unreadable);
  return {
    images: found.images(),
    unreadable: sortUnreadable([...cluster.unreadable, ...missing, ...unreadable]),
  };
}

/** Notes the images of a workload that its owners do not speak for. @returns whether it is selected */
function mention(
  workload: Workload,
  owners: ReadonlyMap<string, Workload>,
  selector: Selector,
  found: Gathering,
): boolean {
  if (!selector(topOwner(workload, owners).labels)) return false;
  if (isHistory(workload, owners)) return true;
  for (const image of workload.images)
    if (!isSaidByOwner(image, workload, owners)) found.use(image.image, image.container, workload);
  return true;
}

/** A server that answers every question with something else than "forbidden" is not the one that is meant. */
function throwIfNothingWasRead(failures: readonly Failure[], lists: number): void {
  const strange = failures.filter(({ error }) => error.reason !== 'forbidden');
  const [first] = strange;
  if (first && strange.length === lists) throw first.error;
}
