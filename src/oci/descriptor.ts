import type { Digest } from './digest.ts';

/** @see https://github.com/opencontainers/image-spec/blob/v1.1.1/image-index.md#image-index-property-descriptions */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
}

/**
 * What a manifest says of a part of it: enough to fetch it and to check it.
 *
 * @see https://github.com/opencontainers/image-spec/blob/v1.1.1/descriptor.md
 */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  /** bytes */
  readonly size: number;
  readonly platform?: Platform;
  /** where a foreign layer may be fetched when the registry does not hold it */
  readonly urls?: readonly string[];
}
