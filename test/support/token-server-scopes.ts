import type { User } from './registry-users.ts';

/** What a token allows on one thing. */
export interface Access {
  readonly type: string;
  readonly name: string;
  readonly actions: readonly string[];
}

/** Takes the scopes of a token request, given apart or in one parameter; what is no scope is left out. */
export function parseScopes(parameters: URLSearchParams): readonly Access[] {
  const scopes = parameters.getAll('scope').flatMap((scope) => scope.split(' '));
  return scopes.flatMap((scope) => {
    const [, type, name, actions] = /^([a-z]+):(.+):([a-z*,]+)$/.exec(scope) ?? [];
    return type && name && actions ? [{ type, name, actions: actions.split(',') }] : [];
  });
}

/** The part of the asked access that the user has. */
export function grant(
  asked: readonly Access[],
  user: User | undefined,
  anonymousPull: boolean,
): readonly Access[] {
  return asked.map((access) => ({
    ...access,
    actions: access.actions.filter((action) => mayDo(action, access.name, user, anonymousPull)),
  }));
}

/** `repository:name:pull,push` of everything that is needed, as a challenge says it. */
export function formatScopes(needed: readonly Access[]): string {
  return needed.map(({ type, name, actions }) => `${type}:${name}:${actions.join(',')}`).join(' ');
}

export function allows(given: readonly Access[], needed: readonly Access[]): boolean {
  return needed.every(({ type, name, actions }) =>
    actions.every((action) =>
      given.some(
        (access) => access.type === type && access.name === name && access.actions.includes(action),
      ),
    ),
  );
}

/** Whether a user may do this to a repository; nobody logged in: `undefined`. */
export function mayDo(
  action: string,
  repository: string,
  user: User | undefined,
  anonymousPull: boolean,
): boolean {
  if (!user) return action === 'pull' && anonymousPull;
  if (user.repositories && !user.repositories.test(repository)) return false;
  return user.may === 'pull' ? action === 'pull' : true;
}
