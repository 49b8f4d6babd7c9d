/** What is known of a kind of registry before it has answered. */
export interface Profile {
  readonly name: string;
  /** by the host, as references write it or requests go to it */
  readonly host: RegExp;
  /** whether a broken upload may be taken up again, or sent in pieces: `never` sends each blob whole, always */
  readonly pieces: 'ask' | 'never';
  /** requests that write, a second */
  readonly writesPerSecond?: number;
  /** requests that write, at a time */
  readonly writesAtOnce?: number;
}

/**
 * Kinds of registries that differ from what the specification says, or have known limits.
 *
 * SWR's basic edition takes about 20 pushes a second and 20 layers at once from a tenant, answers 503 above that,
 * and has no resumable push. ECR drops the bytes of every PATCH but the first and answers 201 all the same.
 * GHCR refuses pieces above 4 MiB.
 */
export const PROFILES: readonly Profile[] = [
  {
    name: 'Huawei Cloud SWR',
    host: /^swr\.[a-z0-9.-]+\.myhuaweicloud\.(?:com|eu)$/,
    pieces: 'never',
    writesPerSecond: 20,
    writesAtOnce: 20,
  },
  {
    name: 'Amazon ECR',
    host: /^(?:\d{12}\.dkr\.ecr(?:-fips)?\.[a-z0-9-]+\.amazonaws\.com(?:\.cn)?|public\.ecr\.aws)$/,
    pieces: 'never',
  },
  { name: 'GitHub Container Registry', host: /^ghcr\.io$/, pieces: 'never' },
  {
    name: 'Google Artifact Registry',
    host: /^(?:[a-z0-9-]+-docker\.pkg\.dev|(?:[a-z]+\.)?gcr\.io)$/,
    pieces: 'never',
  },
  { name: 'Docker Hub', host: /^(?:docker\.io|registry-1\.docker\.io)$/, pieces: 'never' },
];

export const UNKNOWN: Profile = { name: 'registry', host: /^/, pieces: 'ask' };

/** The kind of registry that answers under a host. */
export function profileOf(host: string): Profile {
  return PROFILES.find((profile) => profile.host.test(host)) ?? UNKNOWN;
}
