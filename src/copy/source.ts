import { type Digest, parseDigest } from '../oci/digest.ts';
import { InvalidReferenceError } from '../oci/errors.ts';
import {
  canonicalRegistry,
  DOCKER_HUB,
  isHostLike,
  isTag,
  type RepositoryName,
  repositoryName,
  splitReference,
} from '../oci/reference.ts';
import type { Defaults } from './defaults.ts';

/** Which images of a repository a rule means. */
export type Selection =
  | { readonly kind: 'all' }
  | { readonly kind: 'tags'; readonly tags: readonly string[] }
  /** anchored at both ends */
  | { readonly kind: 'pattern'; readonly pattern: RegExp }
  | { readonly kind: 'digest'; readonly digest: Digest; readonly tag?: string };

/** The left side of a rule. */
export interface Source {
  readonly name: RepositoryName;
  readonly selection: Selection;
}

const PATTERN = /^(.*?):\/(.*)\/$/s;

/**
 * Reads the left side of a rule: `repository`, `repository:tag`, `repository:v1,v2`, `repository:/regex/`,
 * `repository@digest` or `repository:tag@digest`.
 *
 * @throws {InvalidReferenceError} it is empty, names no repository, or breaks docker's grammar
 */
export function parseSource(text: string, defaults: Defaults): Source {
  rejectAddress(text);
  const [, patterned, expression] = PATTERN.exec(text) ?? [];
  if (patterned !== undefined && expression !== undefined)
    return {
      name: sourceName(splitReference(patterned), text, defaults),
      selection: { kind: 'pattern', pattern: anchored(expression, text) },
    };
  const parts = splitReference(text);
  return { name: sourceName(parts, text, defaults), selection: selectionOf(parts, text) };
}

interface NameParts {
  readonly host?: string;
  readonly path: string;
}

function sourceName({ host, path }: NameParts, text: string, defaults: Defaults): RepositoryName {
  if (text.trim() === '') throw new InvalidReferenceError(text, 'the source is empty');
  rejectRegistryOnly(host, path, text);
  const registry = canonicalRegistry(host ?? defaults.sourceRegistry);
  const bare = !path.includes('/');
  const needsNamespace = bare && (host === undefined || registry === DOCKER_HUB);
  return repositoryName(
    registry,
    needsNamespace ? `${defaults.sourceNamespace}/${path}` : path,
    text,
  );
}

/** @throws {InvalidReferenceError} the text is an address rather than a reference */
export function rejectAddress(text: string): void {
  const scheme = /^[a-z-]+:\/\//i.exec(text)?.[0];
  if (scheme) throw new InvalidReferenceError(text, `leave out "${scheme}"`);
}

/**
 * A rule may name nothing larger than a repository. docker would take `registry.example.com` for a
 * repository of Docker Hub; whoever writes that in a rule means the registry.
 *
 * @throws {InvalidReferenceError} the text is a registry alone, or a path that ends in a slash
 */
export function rejectRegistryOnly(host: string | undefined, path: string, text: string): void {
  if (path.endsWith('/') || (host !== undefined && path === ''))
    throw new InvalidReferenceError(
      text,
      'it names a registry or a namespace only; a rule needs a repository',
    );
  if (path === '') throw new InvalidReferenceError(text, 'it names no repository');
  // Upper case alone makes no registry of a bare word: "Nginx" is a repository that is spelled wrongly.
  if (host === undefined && !path.includes('/') && isHostLike(path.toLowerCase()))
    throw new InvalidReferenceError(text, 'it names a registry only; a rule needs a repository');
}

function selectionOf(parts: ReturnType<typeof splitReference>, text: string): Selection {
  const { tag, digest } = parts;
  const tags = tag === undefined ? [] : tagsIn(tag, text);
  if (digest === undefined) return tags.length === 0 ? { kind: 'all' } : { kind: 'tags', tags };
  if (tags.length > 1)
    throw new InvalidReferenceError(text, 'a digest stands with one tag at most');
  const [only] = tags;
  return {
    kind: 'digest',
    digest: parseDigest(digest),
    ...(only === undefined ? {} : { tag: only }),
  };
}

/** @throws {InvalidReferenceError} one of the tags is none */
export function tagsIn(list: string, text: string): readonly string[] {
  const tags = list.split(',').map((tag) => tag.trim());
  const wrong = tags.find((tag) => !isTag(tag));
  if (wrong !== undefined) throw new InvalidReferenceError(text, `"${wrong}" is not a tag`);
  return tags;
}

function anchored(expression: string, text: string): RegExp {
  try {
    // Without the flag u, which refuses the needless backslashes that Go's expressions may have: v1\-alpine.
    return new RegExp(`^(?:${expression})$`);
  } catch (error) {
    // The engine's message repeats the expression before it gives the reason.
    const reason = (error as Error).message.split(': ').at(-1);
    throw new InvalidReferenceError(text, `/${expression}/ is not a regular expression: ${reason}`);
  }
}
