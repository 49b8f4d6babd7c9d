import { type Digest, isDigest } from './digest.ts';
import { InvalidReferenceError } from './errors.ts';

export interface RepositoryName {
  /** host, with its port if it has one; Docker Hub is always `docker.io` */
  readonly registry: string;
  /** path below the host, without leading slash */
  readonly repository: string;
}

export interface Reference extends RepositoryName {
  readonly tag?: string;
  readonly digest?: Digest;
}

export const DOCKER_HUB = 'docker.io';

// What people and docker's own files call Docker Hub.
const DOCKER_HUB_NAMES = new Set([
  DOCKER_HUB,
  'index.docker.io',
  'registry-1.docker.io',
  'registry.hub.docker.com',
]);

// The grammar of github.com/distribution/reference, v0.6.0.
const LABEL = '(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])';
const HOST = new RegExp(`^(?:${LABEL}(?:\\.${LABEL})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]{1,5})?$`);
const COMPONENT = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*';
const PATH = new RegExp(`^${COMPONENT}(?:/${COMPONENT})*$`);
const TAG = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;
const MAXIMUM_PATH_LENGTH = 255;
const MAXIMUM_PORT = 65_535;
// Docker shows images by such identifiers, and does not take them for names.
const IDENTIFIER = /^[0-9a-f]{64}$/;

/** A text cut into its parts, nothing checked and no default applied yet. */
export interface ReferenceParts {
  /** the host as written, if the text names one */
  readonly host?: string;
  /** everything between the host and the tag */
  readonly path: string;
  readonly tag?: string;
  readonly digest?: string;
}

/**
 * Cuts `[host/]path[:tag][@digest]` by docker's rule: the first segment is a host when it holds a dot or a
 * colon, is `localhost`, or has an upper-case letter, and when a slash follows it.
 */
export function splitReference(text: string): ReferenceParts {
  const at = text.indexOf('@');
  const digest = at < 0 ? undefined : text.slice(at + 1);
  const named = at < 0 ? text : text.slice(0, at);
  const slash = named.indexOf('/');
  const first = slash < 0 ? '' : named.slice(0, slash);
  const host = isHostLike(first) ? first : undefined;
  const rest = host === undefined ? named : named.slice(slash + 1);
  const colon = rest.indexOf(':', rest.lastIndexOf('/') + 1);
  return {
    path: colon < 0 ? rest : rest.slice(0, colon),
    ...(host === undefined ? {} : { host }),
    ...(colon < 0 ? {} : { tag: rest.slice(colon + 1) }),
    ...(digest === undefined ? {} : { digest }),
  };
}

/** Whether docker would take this first segment for a host. */
export function isHostLike(segment: string): boolean {
  return segment === 'localhost' || /[.:]/.test(segment) || /[A-Z]/.test(segment);
}

/**
 * Parses a reference as docker does: `nginx` is `docker.io/library/nginx`. No tag is added.
 *
 * @throws {InvalidReferenceError} the text breaks docker's grammar
 * @see https://github.com/distribution/reference/blob/v0.6.0/reference.go
 */
export function parseReference(text: string): Reference {
  if (IDENTIFIER.test(text))
    throw new InvalidReferenceError(text, 'it is the identifier of an image, not its name');
  const { host, path, tag, digest } = splitReference(text);
  const registry = canonicalRegistry(host ?? DOCKER_HUB);
  const official = registry === DOCKER_HUB && path !== '' && !path.includes('/');
  const name = repositoryName(registry, official ? `library/${path}` : path, text);
  return withVersion(name, { tag, digest }, text);
}

/** Adds `latest` where a reference has neither tag nor digest, as docker does. */
export function withDefaultTag(reference: Reference): Reference {
  return reference.tag || reference.digest ? reference : { ...reference, tag: 'latest' };
}

/** @throws {InvalidReferenceError} `text`, from which the parts were taken, breaks the grammar */
export function repositoryName(registry: string, path: string, text: string): RepositoryName {
  if (!isHost(registry)) throw new InvalidReferenceError(text, `"${registry}" is not a host`);
  if (path === '') throw new InvalidReferenceError(text, 'it names no repository');
  if (!PATH.test(path)) throw new InvalidReferenceError(text, repositoryReason(path));
  if (path.length > MAXIMUM_PATH_LENGTH)
    throw new InvalidReferenceError(
      text,
      `its repository is longer than ${MAXIMUM_PATH_LENGTH} characters`,
    );
  return { registry, repository: path };
}

function isHost(text: string): boolean {
  const port = /:(\d+)$/.exec(text)?.[1];
  return HOST.test(text) && Number(port ?? 0) <= MAXIMUM_PORT;
}

function repositoryReason(path: string): string {
  return /[A-Z]/.test(path) && PATH.test(path.toLowerCase())
    ? `the repository "${path}" must be lower case`
    : `the repository "${path}" may hold lower-case letters, digits and single separators only`;
}

/** @throws {InvalidReferenceError} the tag or the digest breaks the grammar */
export function withVersion(
  name: RepositoryName,
  version: { readonly tag?: string | undefined; readonly digest?: string | undefined },
  text: string,
): Reference {
  const { tag, digest } = version;
  if (tag !== undefined && !isTag(tag))
    throw new InvalidReferenceError(text, `"${tag}" is not a tag`);
  if (digest !== undefined && !isDigest(digest))
    throw new InvalidReferenceError(text, `"${digest}" is not a digest`);
  return {
    ...name,
    ...(tag === undefined ? {} : { tag }),
    ...(digest === undefined ? {} : { digest }),
  };
}

export function isTag(text: string): boolean {
  return TAG.test(text);
}

/** Hosts in lower case, since names of hosts know no other; all names of Docker Hub become `docker.io`. */
export function canonicalRegistry(host: string): string {
  const name = host.toLowerCase();
  if (DOCKER_HUB_NAMES.has(name)) return DOCKER_HUB;
  // A bare word is a host only as long as it is upper case.
  return isHostLike(name) ? name : host;
}

/** `registry/repository`. */
export function formatName(name: RepositoryName): string {
  return `${name.registry}/${name.repository}`;
}

/** The whole reference, fully qualified: `docker.io/library/nginx:1.27`. */
export function formatReference(reference: Reference): string {
  const tag = reference.tag === undefined ? '' : `:${reference.tag}`;
  const digest = reference.digest === undefined ? '' : `@${reference.digest}`;
  return `${formatName(reference)}${tag}${digest}`;
}
