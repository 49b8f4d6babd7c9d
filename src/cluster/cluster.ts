import { openConnection } from './connection.ts';
import { requestTimeoutMs } from './duration.ts';
import type { Environment } from './environment.ts';
import type { Overrides } from './kubeconfig.ts';
import { loadAccess } from './kubeconfig-files.ts';
import { listPages } from './pages.ts';
import { type Resource, WORKLOADS } from './resources.ts';

/** Something that could not be read, while the rest could. */
export interface Unreadable {
  /** plural name of a resource ("deployments.apps"), or a file with line and column */
  readonly resource: string;
  readonly namespace?: string;
  readonly reason: string;
}

export interface ListOptions {
  /** all namespaces where it is missing */
  readonly namespace?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What we ask of a cluster; a set of manifests answers the same questions. */
export interface Cluster {
  /** for messages: `context "production"`, `the manifests` */
  readonly name: string;
  /** the namespace that the context names */
  readonly namespace: string;
  /** what was found unreadable before anything was listed */
  readonly unreadable: readonly Unreadable[];
  /** What may hold images. */
  resources(signal?: AbortSignal): Promise<readonly Resource[]>;
  /** Whether a namespace exists; true also where that is not ours to know. */
  hasNamespace(namespace: string, signal?: AbortSignal): Promise<boolean>;
  /**
   * Lists objects one after the other, without holding them all. An object may come twice where the server
   * had to be asked again from the start.
   *
   * @throws {ClusterError} the server refuses, or cannot be reached
   */
  list(resource: Resource, options?: ListOptions): AsyncIterable<unknown>;
  /** Closes connections; what is under way is finished first. */
  close(): Promise<void>;
}

export interface ConnectOptions extends Overrides {
  /** the one kubeconfig file to read */
  readonly kubeconfig?: string | undefined;
  /** for each request, as kubectl takes it: "30", "30s", "2m"; "0" is no limit */
  readonly requestTimeout?: string | undefined;
  /** `process.env` unless given */
  readonly environment?: Environment | undefined;
  /** objects asked for at a time */
  readonly pageSize?: number | undefined;
  /** ends login programs that are still waiting */
  readonly signal?: AbortSignal | undefined;
}

// What kubectl asks for; larger pages make API servers, and us, hold more at a time.
const PAGE_SIZE = 500;

/**
 * Finds the cluster that kubectl would talk to. Nothing is sent yet.
 *
 * @throws {ClusterError} no usable kubeconfig, or a flag that names what is not in it
 */
export async function connect(options: ConnectOptions = {}): Promise<Cluster> {
  const { environment = process.env, requestTimeout, signal, pageSize = PAGE_SIZE } = options;
  const timeoutMs = requestTimeout === undefined ? undefined : requestTimeoutMs(requestTimeout);
  const access = await loadAccess({ ...options, environment });
  const connection = openConnection(access, { environment, timeoutMs, signal });
  return {
    name: access.context === '' ? access.cluster.server : `context "${access.context}"`,
    namespace: access.namespace,
    unreadable: [],
    resources: async () => WORKLOADS,
    hasNamespace: async (namespace, signal) => {
      const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}`;
      return (await connection.get(path, signal)).status !== 404;
    },
    list: (resource, options = {}) => listPages(connection, access, resource, options, pageSize),
    close: connection.close,
  };
}
