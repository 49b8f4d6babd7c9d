import { field, readJson } from './body.ts';
import type { Challenge } from './challenge.ts';
import { basicHeader, type Credential } from './credentials.ts';
import { CredentialError, type RegistryError } from './errors.ts';
import { refusalOf } from './refusal.ts';
import type { HttpRequest, Transport } from './transport.ts';

export interface Token {
  readonly value: string;
  /** milliseconds since the epoch at which a new one should be asked for */
  readonly renewAt: number;
}

/** Tokens by what they are good for. Whoever asks while one is on its way shares it; a failure is forgotten. */
export class Tokens {
  readonly #entries = new Map<string, { readonly pending: Promise<Token>; token?: Token }>();

  get(key: string, fetch: () => Promise<Token>): Promise<Token> {
    const known = this.#entries.get(key);
    if (known && (known.token === undefined || known.token.renewAt > Date.now()))
      return known.pending;
    const entry: { readonly pending: Promise<Token>; token?: Token } = {
      pending: fetch().then(
        (token) => {
          entry.token = token;
          return token;
        },
        (error: unknown) => {
          this.#entries.delete(key);
          throw error;
        },
      ),
    };
    this.#entries.set(key, entry);
    return entry.pending;
  }

  /** Drops a token that a registry refused, unless a new one has taken its place. */
  forget(key: string, value: string): void {
    if (this.#entries.get(key)?.token?.value === value) this.#entries.delete(key);
  }
}

const TOKEN_ANSWER_BYTES = 1024 * 1024;
const DEFAULT_LIFETIME_S = 60;
const MAXIMUM_MARGIN_S = 30;

/**
 * Asks the token service that a challenge names for a token.
 *
 * @throws {CredentialError} the service refuses the login, or answers without a token
 * @throws {RegistryError} the service has trouble of its own
 * @see https://distribution.github.io/distribution/spec/auth/token/
 */
export async function fetchToken(
  challenge: Challenge,
  scopes: readonly string[],
  credential: Credential | undefined,
  transport: Transport,
): Promise<Token> {
  const realm = new URL(challenge.parameters.get('realm') ?? '');
  const service = challenge.parameters.get('service');
  const request =
    credential?.kind === 'identity-token'
      ? exchangeRequest(realm, service, scopes, credential.token)
      : loginRequest(realm, service, scopes, credential);
  const response = await transport(request);
  if (response.status !== 200)
    throw refusedToken(realm, credential, await refusalOf(request, response));
  const answer = await readJson(response, TOKEN_ANSWER_BYTES);
  const value = field(answer, 'token') ?? field(answer, 'access_token');
  if (typeof value !== 'string' || !/^[\x21-\x7e]+$/.test(value))
    throw new CredentialError(`the token service ${realm.host} answered without a token`);
  return { value, renewAt: Date.now() + usableMs(field(answer, 'expires_in')) };
}

function loginRequest(
  realm: URL,
  service: string | undefined,
  scopes: readonly string[],
  credential: Credential | undefined,
): HttpRequest {
  const url = new URL(realm);
  if (service !== undefined) url.searchParams.set('service', service);
  for (const scope of scopes) url.searchParams.append('scope', scope);
  const login = credential?.kind === 'password' ? credential : undefined;
  const headers = login ? { authorization: basicHeader(login.username, login.password) } : {};
  return { method: 'GET', url, headers };
}

// Azure's registry and docker's hub hand out identity tokens; they are exchanged by OAuth 2.
function exchangeRequest(
  url: URL,
  service: string | undefined,
  scopes: readonly string[],
  refreshToken: string,
): HttpRequest {
  const form = new URLSearchParams({
    grant_type: 'refresh_token',
    client_id: 'kubectl-migrate-images',
    refresh_token: refreshToken,
    ...(service === undefined ? {} : { service }),
    ...(scopes.length === 0 ? {} : { scope: scopes.join(' ') }),
  });
  return {
    method: 'POST',
    url,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: Buffer.from(form.toString()),
  };
}

// A 404 of the token service, say, is no word about the image: it must not pass for the registry's own answer.
function refusedToken(
  realm: URL,
  credential: Credential | undefined,
  refusal: RegistryError,
): RegistryError | CredentialError {
  if (refusal.transient) return refusal;
  const login = credential ? 'refuses this login' : 'gives no token without a login';
  const reason = refusal.forbidden ? login : `gives no token: it answered ${refusal.status}`;
  return new CredentialError(`the token service ${realm.host} ${reason}`, { cause: refusal });
}

function usableMs(expiresIn: unknown): number {
  const valid = typeof expiresIn === 'number' && expiresIn > 0;
  const lifetime = valid ? expiresIn : DEFAULT_LIFETIME_S;
  return (lifetime - Math.min(MAXIMUM_MARGIN_S, lifetime / 5)) * 1000;
}
