import { randomUUID } from 'node:crypto';
import { type Answer, answerError, answerJson } from './registry-answer.ts';
import { FaultTable } from './registry-faults.ts';
import { RequestLog } from './registry-log.ts';
import { type Exchange, readAll, serve } from './registry-server.ts';
import { findUser, type User } from './registry-users.ts';
import { type Access, grant, parseScopes } from './token-server-scopes.ts';
import { makeSigner } from './token-server-signer.ts';

export interface TokenServerOptions {
  readonly users: readonly User[];
  /** what the registry calls itself, the audience of tokens */
  readonly service?: string;
  /** whoever asks without a login may pull */
  readonly anonymousPull?: boolean;
  /** how long a token is good; default 300 */
  readonly lifetimeSeconds?: number;
  /** what `expires_in` says instead of the truth; null: there is no `expires_in` */
  readonly statedLifetimeSeconds?: number | null;
  /** where the token stands in the answer; default both */
  readonly answerField?: 'token' | 'access_token';
  /** the server knows no POST, as some do: 404 */
  readonly withoutPost?: boolean;
  readonly log?: RequestLog;
  readonly faults?: FaultTable;
}

/** What is to be special about the token server that a registry starts for itself. */
export type TokenOptions = Omit<TokenServerOptions, 'users' | 'log' | 'faults' | 'anonymousPull'>;

/** A token server on loopback whose tokens both the in-process registry and distribution accept. */
export interface TokenServer {
  readonly realm: string;
  readonly service: string;
  readonly issuer: string;
  /** the certificate of the signing key, PEM: distribution's rootcertbundle */
  readonly certificate: string;
  readonly log: RequestLog;
  readonly faults: FaultTable;
  /** What a token allows; undefined where it is none of ours, has ended or was revoked. */
  accessOf(token: string): readonly Access[] | undefined;
  /** All tokens given so far end now, for the in-process registry. */
  revoke(): void;
  /** A refresh token of this user, as a docker login would have stored it as identity token. */
  refreshTokenOf(username: string): string;
  settle(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Starts a token server: GET with or without a Basic login, and POST with a password or a refresh token.
 *
 * @see https://distribution.github.io/distribution/spec/auth/token/
 * @see https://distribution.github.io/distribution/spec/auth/oauth/
 */
export async function startTokenServer(options: TokenServerOptions): Promise<TokenServer> {
  const { log = new RequestLog(), faults = new FaultTable(), service = 'test-registry' } = options;
  const { lifetimeSeconds = 300 } = options;
  const { sign, issuer, certificate } = makeSigner();
  const given = new Map<string, { readonly access: readonly Access[]; readonly endsAt: number }>();
  const refreshTokens = new Map<string, string>();

  const refreshTokenOf = (username: string) => {
    const token = randomUUID();
    refreshTokens.set(token, username);
    return token;
  };

  const mint = (username: string, access: readonly Access[]) => {
    const token = sign({ subject: username, audience: service, access, lifetimeSeconds });
    given.set(token, { access, endsAt: Date.now() + lifetimeSeconds * 1000 });
    return token;
  };

  const handler = async (exchange: Exchange): Promise<Answer> => {
    if (exchange.path !== '/token') return answerError(404, 'UNKNOWN');
    if (exchange.method === 'POST' && options.withoutPost) return answerError(404, 'UNSUPPORTED');
    const asked = await read(exchange, options.users, refreshTokens);
    if (!asked.allowed) return answerError(401, 'UNAUTHORIZED');
    const access = grant(parseScopes(asked.parameters), asked.user, options.anonymousPull ?? false);
    const token = mint(asked.user?.username ?? '', access);
    const wantsRefresh =
      exchange.method === 'POST' || asked.parameters.get('offline_token') === 'true';
    const refreshToken =
      asked.user && wantsRefresh ? refreshTokenOf(asked.user.username) : undefined;
    return answerJson(200, tokenAnswer(options, token, refreshToken));
  };

  const server = await serve({ handler, log, faults });
  return {
    ...{ service, issuer, certificate, log, faults, refreshTokenOf },
    realm: `${server.url}/token`,
    accessOf: (token) => {
      const known = given.get(token);
      return known && known.endsAt > Date.now() ? known.access : undefined;
    },
    revoke: () => given.clear(),
    settle: server.settle,
    close: server.close,
  };
}

interface Asked {
  readonly allowed: boolean;
  readonly user: User | undefined;
  readonly parameters: URLSearchParams;
}

async function read(
  exchange: Exchange,
  users: readonly User[],
  refreshTokens: ReadonlyMap<string, string>,
): Promise<Asked> {
  if (exchange.method !== 'POST') {
    const { authorization } = exchange.headers;
    const user = findUser(users, authorization);
    const allowed = authorization === undefined || user !== undefined;
    return { allowed, user, parameters: exchange.query };
  }
  const parameters = new URLSearchParams(`${await readAll(exchange.body)}`);
  const username = refreshTokens.get(parameters.get('refresh_token') ?? '');
  const user =
    parameters.get('grant_type') === 'password'
      ? users.find(
          ({ username: name, password }) =>
            name === parameters.get('username') && password === parameters.get('password'),
        )
      : users.find(({ username: name }) => name === username);
  return { allowed: user !== undefined, user, parameters };
}

function tokenAnswer(
  options: TokenServerOptions,
  token: string,
  refreshToken: string | undefined,
): object {
  const { answerField, lifetimeSeconds = 300, statedLifetimeSeconds = lifetimeSeconds } = options;
  return {
    ...(answerField === 'access_token' ? {} : { token }),
    ...(answerField === 'token' ? {} : { access_token: token }),
    ...(statedLifetimeSeconds === null ? {} : { expires_in: statedLifetimeSeconds }),
    ...(refreshToken === undefined ? {} : { refresh_token: refreshToken }),
    issued_at: new Date().toISOString(),
  };
}
