/** What one repository of a test registry holds; the bytes stand in {@link RegistryStore.contents}. */
export interface StoredRepository {
  readonly name: string;
  readonly blobs: Set<string>;
  /** digest to media type */
  readonly manifests: Map<string, string>;
  /** in the order in which they were first pushed */
  readonly tags: Map<string, string>;
}

/** Everything a test registry holds. Tests may look and may take things away, to make it forget. */
export interface RegistryStore {
  /** digest to bytes, of blobs and manifests of all repositories */
  readonly contents: Map<string, Uint8Array>;
  readonly repositories: Map<string, StoredRepository>;
  /** upload sessions that are open */
  readonly uploads: Map<string, UploadSession>;
}

export interface UploadSession {
  readonly identifier: string;
  readonly repository: string;
  readonly chunks: Uint8Array[];
  size: number;
}

export function emptyStore(): RegistryStore {
  return { contents: new Map(), repositories: new Map(), uploads: new Map() };
}

/** The repository of this name, made if it is not there yet. */
export function repositoryOf(store: RegistryStore, name: string): StoredRepository {
  const known = store.repositories.get(name);
  if (known) return known;
  const made = { name, blobs: new Set<string>(), manifests: new Map(), tags: new Map() };
  store.repositories.set(name, made);
  return made;
}

/** The bytes of a blob that this repository holds, be it a layer or a manifest. */
export function blobOf(store: RegistryStore, name: string, digest: string): Uint8Array | undefined {
  const repository = store.repositories.get(name);
  const linked = repository?.blobs.has(digest) || repository?.manifests.has(digest);
  return linked ? store.contents.get(digest) : undefined;
}
