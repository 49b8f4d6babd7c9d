import { formatName, isTag, type Reference, type RepositoryName } from '../oci/reference.ts';
import { InvalidRuleError, isAbort } from './errors.ts';
import { claimOf } from './layout.ts';
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
  const claims = new Map<string, Claim>();
  for (const [index, rule] of rules.entries()) {
    const tasks = expanded[index];
    if (!tasks || tasks instanceof InvalidRuleError) continue;
    const [first] = tasks.flatMap((task) => claimFor(task, rule, claims) ?? []);
    if (first) failures.push(conflictOf(rule, first));
  }
  return { tasks: [...claims.values()].map(({ task }) => task), failures };
}

/** Who has a destination. */
interface Claim {
  readonly task: Task;
  readonly rule: Rule;
}

/** Enters a task for its destination; gives the claim of another source that was there before. */
function claimFor(task: Task, rule: Rule, claims: Map<string, Claim>): Claim | undefined {
  const key = claimOf(task.destination);
  const earlier = claims.get(key);
  if (!earlier) claims.set(key, { task, rule });
  return earlier && identityOf(earlier.task.source) !== identityOf(task.source)
    ? earlier
    : undefined;
}

/** What a source is, apart from its name: a digest says it all, whatever tag stands before it. */
function identityOf({ tag, digest, ...name }: Reference): string {
  return `${formatName(name)} ${digest ?? tag}`;
}

async function expand(rule: Rule, tagsOf: TagsOf): Promise<readonly Task[] | InvalidRuleError> {
  try {
    return tasksOf(rule, await selectedTags(rule, tagsOf));
  } catch (error) {
    if (error instanceof InvalidRuleError) return error;
    const reason = isAbort(error) ? 'interrupted' : (error as Error).message;
    return new InvalidRuleError(rule.place, `its tags cannot be listed: ${reason}`, {
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

function conflictOf(rule: Rule, earlier: Claim): InvalidRuleError {
  const { line, source } = earlier.rule.place;
  const destination = claimOf(earlier.task.destination);
  return new InvalidRuleError(
    rule.place,
    `${destination} is already the destination of line ${line} ("${source}")`,
  );
}
