import type { Rule } from '../../copy/rules.ts';
import type { Selection } from '../../copy/source.ts';
import { formatName, type RepositoryName, repositoryName } from '../../oci/reference.ts';
import type { Login } from '../../registry/credentials.ts';
import type { Right } from '../../registry/registry.ts';
import { UsageError } from '../errors.ts';
import type { Logins } from '../logins.ts';

/** What a run asks of a login: to pull from a repository, to push to it, or only to be taken at all. */
export interface Need {
  readonly name: RepositoryName;
  readonly right: Right | 'login';
  /** a tag or a digest to pull; undefined where only the list of tags tells which there are */
  readonly version?: string | undefined;
}

/** A need, and the login that speaks for it; or why none could be had. */
export interface Attempt {
  readonly need: Need;
  readonly login: Login | { readonly failure: unknown };
}

/** The needs of rules: everything that is pulled, then everything that is pushed. */
export function needsOf(rules: readonly Rule[]): readonly Need[] {
  return [
    ...rules.map(({ source }) => ({
      name: source.name,
      right: 'pull' as const,
      version: firstOf(source.selection),
    })),
    ...rules.map(({ destination }) => ({ name: destination.name, right: 'push' as const })),
  ];
}

/** The needs of the entries of an auth.json: to log in, each of them. */
export function needsOfKeys(keys: readonly string[]): readonly Need[] {
  return keys.map((key) => {
    const [registry = '', ...path] = key.split('/');
    return { name: { registry, repository: path.join('/') }, right: 'login' };
  });
}

/**
 * Asks for the login of every need, and keeps the first of those that the same login of the same registry
 * speaks for, with the same right.
 */
export async function attemptsFor(
  needs: readonly Need[],
  { loginFor, settingsFor }: Pick<Logins, 'loginFor' | 'settingsFor'>,
): Promise<readonly Attempt[]> {
  // All at once: a credential helper that many ask answers them together, also where it fails.
  const attempts = await Promise.all(
    needs.map(async (need): Promise<Attempt> => {
      const login = async () => loginFor(checkedName(need));
      return { need, login: await login().catch((failure: unknown) => ({ failure })) };
    }),
  );
  const first = new Map<string, Attempt>();
  for (const attempt of attempts) {
    const key = keyOf(attempt, settingsFor(attempt.need.name));
    if (!first.has(key)) first.set(key, attempt);
  }
  return [...first.values()];
}

/** The name of a need; in auth.json any text may stand where a registry should. */
function checkedName({ name, right }: Need): RepositoryName {
  try {
    if (right === 'login') repositoryName(name.registry, 'any', name.registry);
    return name;
  } catch {
    throw new UsageError(`"${name.registry}" is not a host`, 'correct this key of auth.json');
  }
}

// An entry of auth.json is tried whether or not another one holds the same login.
function keyOf({ need, login }: Attempt, settings: object): string {
  const { name, right } = need;
  const subject = right === 'login' ? formatName(name) : name.registry;
  const held = 'failure' in login ? [String(login.failure)] : [login.origin, login.credential];
  return JSON.stringify([subject, right, held, settings]);
}

function firstOf(selection: Selection): string | undefined {
  if (selection.kind === 'digest') return selection.digest;
  return selection.kind === 'tags' ? selection.tags[0] : undefined;
}
