import { createHash } from 'node:crypto';
import {
  formatName,
  formatReference,
  type Reference,
  type RepositoryName,
} from '../oci/reference.ts';

/** flatten keeps the last segment of a source's path, preserve the whole path. */
export type Layout = 'flatten' | 'preserve';

export interface Mapped {
  readonly source: Reference;
  readonly destination: Reference;
}

export interface Mapping {
  /** one for each source, in the order given */
  readonly images: readonly Mapped[];
  /** source repositories that stood in each other's way, each group once, sorted */
  readonly collisions: readonly (readonly string[])[];
}

/**
 * Drops the tag of a source that has a digest too, where another source of its repository has the same tag
 * and something else behind it: one tag cannot name both at the destination, and the digest says it all.
 */
export function untangled(sources: readonly Reference[]): readonly Reference[] {
  const versions = new Map<string, Set<string>>();
  for (const source of sources) {
    const claims = versions.get(claimOf(source)) ?? new Set();
    versions.set(claimOf(source), claims.add(source.digest ?? ''));
  }
  return sources.map((source) => {
    const { tag: _, ...byDigest } = source;
    const shared = (versions.get(claimOf(source))?.size ?? 1) > 1;
    return source.digest !== undefined && shared ? byDigest : source;
  });
}

/**
 * Maps sources to places below a repository prefix. No two of them share a destination: repositories that
 * would collide all get a path that tells them apart, first their own whole path, then with their registry.
 *
 * @param target - registry, and the namespace below which everything goes
 * @param holderOf - the source repository that a destination belongs to already, if any, fully qualified
 */
export function mapImages(
  sources: readonly Reference[],
  target: RepositoryName,
  layout: Layout,
  holderOf: HolderOf = () => undefined,
): Mapping {
  const repositories = new Map(sources.map((source) => [formatName(source), source]));
  /** how far each source repository had to go to stand alone */
  const steps = new Map([...repositories.keys()].map((name) => [name, 0]));
  const ways = layout === 'flatten' ? FLATTEN : PRESERVE;
  let collisions: readonly (readonly string[])[] = [];
  const place = (source: Reference): Reference =>
    versioned(source, target, ways[steps.get(formatName(source)) ?? 0] ?? hashed);
  for (let round = 0; round < ways.length; round += 1) {
    const groups = colliding(sources, place, holderOf);
    if (groups.length === 0) break;
    if (round === 0) collisions = namesOf(groups);
    for (const { movers } of groups) for (const name of movers) steps.set(name, round + 1);
  }
  return { images: sources.map((source) => ({ source, destination: place(source) })), collisions };
}

export type HolderOf = (destination: Reference) => string | undefined;

type Way = (source: RepositoryName) => string;

const lastSegment: Way = ({ repository }) => repository.slice(repository.lastIndexOf('/') + 1);
const wholePath: Way = ({ repository }) => repository;
const withRegistry: Way = ({ registry, repository }) => `${pathOf(registry)}/${repository}`;
// Two hosts may still read alike once their colons are gone.
const hashed: Way = (source) => {
  const hash = createHash('sha256').update(formatName(source)).digest('hex').slice(0, 8);
  return `${withRegistry(source)}-${hash}`;
};

const FLATTEN: readonly Way[] = [lastSegment, wholePath, withRegistry, hashed];
const PRESERVE: readonly Way[] = [wholePath, withRegistry, hashed];

/** A host as a path segment: `[::1]:5000` is `1-5000`, and `[::]` is `0`. */
function pathOf(registry: string): string {
  const segment = registry
    .toLowerCase()
    .replace(/[^a-z0-9.]+/g, '-')
    .replace(/^[-.]+|[-.]+$/g, '');
  return segment === '' ? '0' : segment;
}

function versioned(source: Reference, target: RepositoryName, way: Way): Reference {
  const { tag, digest } = source;
  return {
    registry: target.registry,
    repository: `${target.repository}/${way(source)}`,
    ...(tag === undefined ? {} : { tag }),
    ...(digest === undefined ? {} : { digest }),
  };
}

/** Source repositories that meet at one destination. */
interface Group {
  /** those that have to go on */
  readonly movers: ReadonlySet<string>;
  /** whose the destination is already */
  readonly holder: string | undefined;
}

/** Groups that share a destination among themselves, or with what is taken. */
function colliding(
  sources: readonly Reference[],
  place: (source: Reference) => Reference,
  holderOf: HolderOf,
): readonly Group[] {
  const claims = new Map<
    string,
    { readonly movers: Set<string>; readonly holder: string | undefined }
  >();
  for (const source of sources) {
    const destination = place(source);
    const key = claimOf(destination);
    const claim = claims.get(key) ?? { movers: new Set(), holder: holderOf(destination) };
    claim.movers.add(formatName(source));
    claims.set(key, claim);
  }
  return [...claims.values()].filter(
    ({ movers, holder }) => movers.size > 1 || (holder && !movers.has(holder)),
  );
}

function namesOf(groups: readonly Group[]): readonly (readonly string[])[] {
  const unique = new Map<string, readonly string[]>();
  for (const { movers, holder } of groups) {
    const names = [...new Set([...movers, ...(holder ? [holder] : [])])].sort();
    unique.set(names.join(' '), names);
  }
  return [...unique].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, names]) => names);
}

/** What a destination claims: a tag, or the repository's untagged digest. */
export function claimOf(destination: Reference): string {
  const { tag, ...untagged } = destination;
  if (tag === undefined) return formatReference(untagged);
  return `${formatName(destination)}:${tag}`;
}
