import type { Resource } from './resources.ts';

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
