import type { Descriptor } from './descriptor.ts';
import type { Bytes } from './digest.ts';
import type { Manifest } from './manifest.ts';

/**
 * Opens the bytes of a blob from an offset on. May be called again: retries and resumed transfers need
 * no special case then.
 */
export type OpenBlob = (offset: number, signal?: AbortSignal) => Promise<Bytes>;

/** The end that is read. */
export interface Source {
  /** What a tag or digest names, from the headers alone; undefined where there is none. */
  resolve(tagOrDigest: string, signal?: AbortSignal): Promise<Descriptor | undefined>;
  fetchManifest(tagOrDigest: string, signal?: AbortSignal): Promise<Manifest>;
  openBlob(blob: Descriptor, offset: number, signal?: AbortSignal): Promise<Bytes>;
}

/** How a blob came to be in the repository: `mounted` from another one there, or `uploaded`. */
export type Arrival = 'mounted' | 'uploaded';

/** The end that is written. */
export interface Destination {
  resolve(tagOrDigest: string, signal?: AbortSignal): Promise<Descriptor | undefined>;
  hasBlob(blob: Descriptor, signal?: AbortSignal): Promise<boolean>;
  /**
   * How many bytes of a blob the repository holds; undefined where it holds none of it.
   *
   * @throws {StoreError} the end does not tell
   */
  statBlob(blob: Descriptor, signal?: AbortSignal): Promise<number | undefined>;
  /**
   * Puts one blob into the repository, committed under its own digest.
   *
   * Where `mountFrom` names a repository of the same registry that holds the blob, the registry is asked
   * to mount it; whatever goes wrong with that, the bytes are uploaded.
   */
  putBlob(blob: Descriptor, open: OpenBlob, options: PutBlobOptions): Promise<Arrival>;
  /** Asks for a mount and sends nothing otherwise; false says that nothing was mounted. */
  mountBlob(blob: Descriptor, from: string, signal?: AbortSignal): Promise<boolean>;
  putManifest(manifest: Manifest, tag: string | undefined, signal?: AbortSignal): Promise<void>;
  /** Every tag there is, in any order. */
  listTags(signal?: AbortSignal): AsyncIterable<string>;
}

export interface PutBlobOptions {
  readonly mountFrom?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}
