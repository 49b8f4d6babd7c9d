import { claimOf, type HolderOf, type Layout, mapImages, untangled } from '../../copy/layout.ts';
import { addRules, formatRules, type RuleText } from '../../copy/rule-file.ts';
import { parseRules, type Rule } from '../../copy/rules.ts';
import {
  canonicalRegistry,
  formatName,
  formatReference,
  type Reference,
  type RepositoryName,
  repositoryName,
  splitReference,
} from '../../oci/reference.ts';
import { UsageError } from '../errors.ts';

/** An images.json that is there already and is added to. */
export interface ExistingMap {
  readonly text: string;
  readonly file: string;
}

export interface ImageMap {
  /** the whole file to write */
  readonly text: string;
  readonly added: number;
  /** by qualified reference of the image; what an existing map says already is left to it */
  readonly destinations: ReadonlyMap<string, string>;
  /** source repositories that would have met at one destination */
  readonly collisions: readonly (readonly string[])[];
}

const NO_DEFAULTS = { sourceRegistry: 'docker.io', sourceNamespace: 'library' };
const TARGET_HINT = 'write REGISTRY/NAMESPACE, for example registry.example.com/mirror';

/** @throws {UsageError} the text is no registry with a namespace below it */
export function parseTarget(text: string): RepositoryName {
  const { host, path, tag, digest } = splitReference(bare(text));
  const fits = host !== undefined && tag === undefined && digest === undefined;
  if (!fits)
    throw new UsageError(`--repo: "${text}" is not a registry with a namespace`, TARGET_HINT);
  try {
    return repositoryName(canonicalRegistry(host), path, text);
  } catch (error) {
    throw new UsageError(`--repo: ${(error as Error).message}`, TARGET_HINT);
  }
}

// People copy the address of a registry from their browser.
function bare(text: string): string {
  return text.replace(/^https?:\/\//, '').replace(/\/+$/, '');
}

/** Maps images to the target, around what an existing map has already. */
export function mapTo(
  target: RepositoryName,
  layout: Layout,
  references: readonly Reference[],
  existing: ExistingMap | undefined,
): ImageMap {
  const known = existing ? parseRules(existing.text, existing.file, NO_DEFAULTS).rules : [];
  const unique = new Map(references.map((reference) => [formatReference(reference), reference]));
  const fresh = untangled([...unique.values()]).filter(
    (source) => !known.some((rule) => covers(rule, source)),
  );
  const { images, collisions } = mapImages(fresh, target, layout, holders(known));
  const rules = images.map(({ source, destination }) => ({
    source: formatReference(source),
    destination: formatReference(destination),
  }));
  return {
    text: existing ? addRules(existing.text, existing.file, rules) : formatRules(rules),
    added: rules.length,
    destinations: destinationsOf([...unique.keys()], rules),
    collisions,
  };
}

/** Whether a rule copies an image already. */
function covers({ source }: Rule, { tag, digest, ...name }: Reference): boolean {
  if (formatName(source.name) !== formatName(name)) return false;
  const { selection } = source;
  if (selection.kind === 'digest') return selection.digest === digest;
  if (digest !== undefined || tag === undefined) return false;
  if (selection.kind === 'tags') return selection.tags.includes(tag);
  return selection.kind === 'all' || selection.pattern.test(tag);
}

/** Whom a destination belongs to by these rules; one that copies many tags has the whole repository. */
function holders(rules: readonly Rule[]): HolderOf {
  const held = new Map<string, string>();
  for (const { source, destination } of rules) {
    const { selection } = source;
    const own = selection.kind === 'tags' ? selection.tags : [];
    const tags = destination.tags.length > 0 ? destination.tags : own;
    const holder = formatName(source.name);
    if (selection.kind === 'all' || selection.kind === 'pattern')
      held.set(formatName(destination.name), holder);
    for (const tag of tags) held.set(claimOf({ ...destination.name, tag }), holder);
  }
  return (destination) => held.get(claimOf(destination)) ?? held.get(formatName(destination));
}

/** A source that lost its ambiguous tag is found by the image that workloads write, tag and all. */
function destinationsOf(
  images: readonly string[],
  rules: readonly RuleText[],
): ReadonlyMap<string, string> {
  const bySource = new Map(rules.map(({ source, destination }) => [source, destination]));
  return new Map(
    images.flatMap((image) => {
      const destination = bySource.get(image) ?? bySource.get(image.replace(/:[^:/@]+@/, '@'));
      return destination === undefined ? [] : [[image, destination] as const];
    }),
  );
}
