import { formatName, formatReference, isTag, type RepositoryName } from '../oci/reference.ts';
import { InvalidRuleError } from './errors.ts';
import type { Limit } from './limit.ts';
import { Once } from './once.ts';
import type { Rule } from './rules.ts';
import type { Task } from './task.ts';

export interface Tasks {
  readonly tasks: readonly Task[];
  readonly failures: readonly InvalidRuleError[];
}

/** All tags of a repository. */
export type TagsOf = (name: RepositoryName) => Promise<readonly string[]>;

/**
 * Turns rules into tasks, one for each source tag and destination, in the order of the rules; tags are listed
 * only where a rule asks for them, once for each repository.
 *
 * The same pair from several rules is one task. Two sources for one destination are a failure of the later
 * rule, and the destination stays with the earlier one.
 */
export async function expandRules(
  rules: readonly Rule[],
  tagsOf: TagsOf,
  limit: Limit,
): Promise<Tasks> {
  const lists = new Once<readonly string[]>();
  const list: TagsOf = (name) => lists.run(formatName(name), () => limit(() => tagsOf(name)));
  const expanded = await Promise.all(rules.map((rule) => expand(rule, list)));
  const failures = expanded.filter((result) => result instanceof InvalidRuleError);
  const taken = new Map<
    string,
    { readonly source: string; readonly task: Task; readonly rule: Rule }
  >();
  for (const [index, rule] of rules.entries()) {
    const tasks = expanded[index];
    if (!tasks || tasks instanceof InvalidRuleError) continue;
    const conflicts = tasks.filter((task) => {
      const source = formatReference(task.source);
      const destination = formatReference(task.destination);
      const earlier = taken.get(destination);
      if (!earlier) taken.set(destination, { source, task, rule });
      return earlier !== undefined && earlier.source !== source;
    });
    const [first] = conflicts;
    if (first)
      failures.push(conflictOf(rule, first, taken.get(formatReference(first.destination))?.rule));
  }
  return { tasks: [...taken.values()].map(({ task }) => task), failures };
}

async function expand(rule: Rule, tagsOf: TagsOf): Promise<readonly Task[] | InvalidRuleError> {
  try {
    return tasksOf(rule, await selectedTags(rule, tagsOf));
  } catch (error) {
    return error instanceof InvalidRuleError
      ? error
      : new InvalidRuleError(rule.place, `its tags cannot be listed: ${(error as Error).message}`, {
          cause: error,
        });
  }
}

function tasksOf(rule: Rule, tags: readonly string[]): readonly Task[] {
  const { source, destination } = rule;
  if (source.selection.kind === 'digest') {
    const { digest, tag } = source.selection;
    const [target = tag] = destination.tags;
    return [
      {
        source: { ...source.name, digest, ...(tag === undefined ? {} : { tag }) },
        destination: {
          ...destination.name,
          digest,
          ...(target === undefined ? {} : { tag: target }),
        },
      },
    ];
  }
  return tags.map((tag, index) => ({
    source: { ...source.name, tag },
    destination: { ...destination.name, tag: destination.tags[index] ?? tag },
  }));
}

async function selectedTags({ source, place }: Rule, tagsOf: TagsOf): Promise<readonly string[]> {
  const { name, selection } = source;
  if (selection.kind === 'digest') return [];
  if (selection.kind === 'tags') return selection.tags;
  const tags = (await tagsOf(name)).filter(isTag).sort();
  const matching =
    selection.kind === 'all' ? tags : tags.filter((tag) => selection.pattern.test(tag));
  if (matching.length > 0) return matching;
  const reason =
    selection.kind === 'all' ? 'has no tags' : `has no tag that matches, of ${tags.length}`;
  throw new InvalidRuleError(place, `${formatName(name)} ${reason}`);
}

function conflictOf(rule: Rule, task: Task, earlier: Rule | undefined): InvalidRuleError {
  const destination = formatReference(task.destination);
  const other = earlier
    ? `line ${earlier.place.line} ("${earlier.place.source}")`
    : 'an earlier rule';
  return new InvalidRuleError(rule.place, `${destination} is already the destination of ${other}`);
}
