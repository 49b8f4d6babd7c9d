import type { Cluster } from './cluster.ts';
import { openConnection } from './connection.ts';
import { requestTimeoutMs } from './duration.ts';
import type { Environment } from './environment.ts';
import type { Overrides } from './kubeconfig.ts';
import { loadAccess } from './kubeconfig-files.ts';
import { listPages } from './pages.ts';
import { WORKLOADS } from './resources.ts';

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
