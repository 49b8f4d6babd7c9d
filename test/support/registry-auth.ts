import { type Answer, answerError, answerErrors } from './registry-answer.ts';
import type { RegistryOptions } from './registry-options.ts';
import type { Exchange } from './registry-server.ts';
import { findUser, PUSHER, READER, type User } from './registry-users.ts';
import type { TokenServer } from './token-server.ts';
import { type Access, allows, formatScopes, mayDo } from './token-server-scopes.ts';

export const DEFAULT_USERS: readonly User[] = [PUSHER, READER];

/** What keeps a request out; undefined lets it in. */
export type Guard = (exchange: Exchange, repository: string | undefined) => Answer | undefined;

/** The guard of a registry: none, a Basic login, or tokens of its token server. */
export function guardOf(options: RegistryOptions, tokens: TokenServer | undefined): Guard {
  if (tokens) return (exchange, repository) => checkToken(tokens, exchange, repository);
  if (options.auth === 'basic')
    return (exchange, repository) => checkBasic(options, exchange, repository);
  return (exchange) =>
    exchange.fault?.unauthorized ? challenge('Basic realm="test registry"') : undefined;
}

function checkBasic(
  { users = DEFAULT_USERS, anonymousPull = false }: RegistryOptions,
  exchange: Exchange,
  repository: string | undefined,
): Answer | undefined {
  const user = findUser(users, exchange.headers.authorization);
  const needed = neededAccess(exchange, repository);
  const may = ({ name, actions }: Access) =>
    actions.every((action) => mayDo(action, name, user, anonymousPull));
  if (!exchange.fault?.unauthorized && needed.length > 0 && needed.every(may)) return undefined;
  if (!user || exchange.fault?.unauthorized) return challenge('Basic realm="test registry"');
  return needed.every(may) ? undefined : answerError(403, 'DENIED');
}

function checkToken(
  tokens: TokenServer,
  exchange: Exchange,
  repository: string | undefined,
): Answer | undefined {
  const needed = neededAccess(exchange, repository);
  const [, token] = /^Bearer (.+)$/i.exec(exchange.headers.authorization ?? '') ?? [];
  const given = token && !exchange.fault?.unauthorized ? tokens.accessOf(token) : undefined;
  if (given && allows(given, needed)) return undefined;
  const scope = needed.length > 0 ? `,scope="${formatScopes(needed)}"` : '';
  const reason = given ? 'insufficient_scope' : 'invalid_token';
  const error = token ? `,error="${reason}"` : '';
  return challenge(`Bearer realm="${tokens.realm}",service="${tokens.service}"${scope}${error}`);
}

/** What a request needs; a mount also needs to pull from where it mounts. */
function neededAccess(exchange: Exchange, repository: string | undefined): readonly Access[] {
  if (repository === undefined) return [];
  const from = exchange.method === 'POST' ? exchange.query.get('from') : null;
  return [
    { type: 'repository', name: repository, actions: ACTIONS[exchange.method] ?? ['pull'] },
    ...(from ? [{ type: 'repository', name: from, actions: ['pull'] }] : []),
  ];
}

function challenge(text: string): Answer {
  return answerErrors(401, [{ code: 'UNAUTHORIZED' }], { 'www-authenticate': text });
}

const ACTIONS: Readonly<Record<string, readonly string[]>> = {
  POST: ['pull', 'push'],
  PUT: ['pull', 'push'],
  PATCH: ['pull', 'push'],
  DELETE: ['delete'],
};
