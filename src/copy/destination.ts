import type { Digest } from '../oci/digest.ts';
import { InvalidReferenceError } from '../oci/errors.ts';
import {
  canonicalRegistry,
  DOCKER_HUB,
  type RepositoryName,
  repositoryName,
  splitReference,
} from '../oci/reference.ts';
import type { Defaults } from './defaults.ts';
import {
  rejectAddress,
  rejectRegistryOnly,
  type Selection,
  type Source,
  tagsIn,
} from './source.ts';

/** The right side of a rule. */
export interface Destination {
  readonly name: RepositoryName;
  /** as many as the source has, or none: then the source's own */
  readonly tags: readonly string[];
}

/**
 * Reads the right side of a rule. An empty one means the default registry and namespace, and the source's
 * repository without its first path segment.
 *
 * @throws {InvalidReferenceError} it names no repository, breaks docker's grammar, or does not fit the source
 */
export function parseDestination(text: string, source: Source, defaults: Defaults): Destination {
  if (text.trim() === '') return { name: defaultName(source, defaults), tags: [] };
  rejectAddress(text);
  const { host, path, tag, digest } = splitReference(text);
  rejectRegistryOnly(host, path, text);
  const tags = tag === undefined ? [] : tagsIn(tag, text);
  checkTags(tags, source.selection, text);
  checkDigest(digest, source.selection, text);
  return { name: destinationName(host, path, text, defaults), tags };
}

function defaultName({ name }: Source, defaults: Defaults): RepositoryName {
  const registry = required(defaults.registry, 'registry', '(empty)');
  const namespace = required(defaults.namespace, 'namespace', '(empty)');
  const slash = name.repository.indexOf('/');
  const path = `${namespace}/${name.repository.slice(slash + 1)}`;
  return repositoryName(canonicalRegistry(registry), path, `${registry}/${path}`);
}

function destinationName(
  host: string | undefined,
  path: string,
  text: string,
  defaults: Defaults,
): RepositoryName {
  const bare = !path.includes('/');
  if (host === undefined) {
    const registry = canonicalRegistry(required(defaults.registry, 'registry', text));
    const full = bare ? `${required(defaults.namespace, 'namespace', text)}/${path}` : path;
    return repositoryName(registry, full, text);
  }
  const registry = canonicalRegistry(host);
  return repositoryName(registry, bare && registry === DOCKER_HUB ? `library/${path}` : path, text);
}

function required(value: string | undefined, what: 'registry' | 'namespace', text: string): string {
  if (value) return value;
  throw new InvalidReferenceError(
    text,
    `the destination has no ${what}; write one, or give --${what} (or set DEFAULT_${what.toUpperCase()})`,
  );
}

function checkTags(tags: readonly string[], selection: Selection, text: string): void {
  if (tags.length === 0) return;
  if (selection.kind === 'all')
    throw new InvalidReferenceError(
      text,
      'the destination has a tag, but the source has none and means all its tags',
    );
  if (selection.kind === 'pattern')
    throw new InvalidReferenceError(
      text,
      'the destination has a tag, but the source is a pattern of tags',
    );
  const sources = selection.kind === 'tags' ? selection.tags.length : 1;
  if (tags.length !== sources)
    throw new InvalidReferenceError(
      text,
      `it has ${tags.length} tag${tags.length === 1 ? '' : 's'}, but the source has ${sources}`,
    );
}

function checkDigest(digest: string | undefined, selection: Selection, text: string): void {
  if (digest === undefined) return;
  const expected: Digest | undefined = selection.kind === 'digest' ? selection.digest : undefined;
  if (digest !== expected)
    throw new InvalidReferenceError(
      text,
      'a destination may have only the digest that its source has',
    );
}
