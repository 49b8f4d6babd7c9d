/** One kind of object that a cluster can list. */
export interface Resource {
  /** empty for the core group */
  readonly group: string;
  readonly version: string;
  /** plural, as in paths: "deployments" */
  readonly plural: string;
  readonly kind: string;
  /** where objects of this kind hold their pod's spec; undefined: anywhere, it has to be searched */
  readonly podSpec?: readonly string[];
}

const TEMPLATE = ['spec', 'template', 'spec'];

export const PODS: Resource = {
  group: '',
  version: 'v1',
  plural: 'pods',
  kind: 'Pod',
  podSpec: ['spec'],
};

export const NAMESPACES: Resource = {
  group: '',
  version: 'v1',
  plural: 'namespaces',
  kind: 'Namespace',
};

/** Everything of Kubernetes itself that runs images, or would. */
export const WORKLOADS: readonly Resource[] = [
  PODS,
  core('replicationcontrollers', 'ReplicationController', TEMPLATE),
  // The only kind whose template stands beside the spec and not in it.
  core('podtemplates', 'PodTemplate', ['template', 'spec']),
  grouped('apps', 'deployments', 'Deployment', TEMPLATE),
  grouped('apps', 'statefulsets', 'StatefulSet', TEMPLATE),
  grouped('apps', 'daemonsets', 'DaemonSet', TEMPLATE),
  grouped('apps', 'replicasets', 'ReplicaSet', TEMPLATE),
  grouped('batch', 'jobs', 'Job', TEMPLATE),
  grouped('batch', 'cronjobs', 'CronJob', ['spec', 'jobTemplate', ...TEMPLATE]),
];

// Deployments and their like lived in `extensions` until Kubernetes 1.16; old manifests still say so.
const FORMER_GROUPS: Readonly<Record<string, string>> = { extensions: 'apps' };

/** The built-in workload that an `apiVersion` and a kind name, whatever the version. */
export function builtInResource(apiVersion: string, kind: string): Resource | undefined {
  const written = splitApiVersion(apiVersion).group;
  const group = FORMER_GROUPS[written] ?? written;
  return WORKLOADS.find((resource) => resource.kind === kind && resource.group === group);
}

function splitApiVersion(apiVersion: string): { group: string; version: string } {
  const slash = apiVersion.indexOf('/');
  return { group: apiVersion.slice(0, Math.max(slash, 0)), version: apiVersion.slice(slash + 1) };
}

/** The name that kubectl understands: "pods", "deployments.apps". */
export function resourceName({ group, plural }: Resource): string {
  return group === '' ? plural : `${plural}.${group}`;
}

function core(plural: string, kind: string, podSpec: readonly string[]): Resource {
  return { group: '', version: 'v1', plural, kind, podSpec };
}

function grouped(
  group: string,
  plural: string,
  kind: string,
  podSpec: readonly string[],
): Resource {
  return { group, version: 'v1', plural, kind, podSpec };
}

/** A kind that is not Kubernetes' own: its pods have to be searched for. */
export function customResource(apiVersion: string, kind: string): Resource {
  return { ...splitApiVersion(apiVersion), plural: kind.toLowerCase(), kind };
}
