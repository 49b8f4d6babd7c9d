import { type Challenge, parseChallenges } from './challenge.ts';
import { basicHeader, type Credential } from './credentials.ts';
import { fetchToken, Tokens } from './token.ts';
import type { HttpRequest, Layer, Transport } from './transport.ts';

/** What is known of a host's way to log in; shared by all its repositories, so that it is learned once. */
export interface Gate {
  challenge: Challenge | undefined;
  readonly tokens: Tokens;
}

export function newGate(): Gate {
  return { challenge: undefined, tokens: new Tokens() };
}

const BEARER = 'Bearer ';

export interface Identity {
  readonly credential: Credential | undefined;
  /** the rights that every request of this repository needs, as token scopes */
  readonly scopes: readonly string[];
  /** whether credentials may be sent to a realm over plain HTTP: the registry itself is insecure */
  readonly plainRealm: boolean;
}

/**
 * A layer that logs in: the first 401 teaches the host's challenge, from then on every request carries what
 * it needs at once. A token that a registry no longer takes is renewed once.
 */
export function authorized(gate: Gate, identity: Identity, realmTransport: Transport): Layer {
  const headerFor = async (scopes: readonly string[]): Promise<string | undefined> => {
    const { challenge, tokens } = gate;
    const { credential } = identity;
    if (challenge?.scheme === 'basic') return basicOf(credential);
    if (challenge?.scheme !== 'bearer') return undefined;
    const token = await tokens.get(keyOf(scopes), () =>
      fetchToken(challenge, scopes, credential, realmTransport),
    );
    return `${BEARER}${token.value}`;
  };

  return (next) => async (request) => {
    const scopes = [...new Set([...identity.scopes, ...(request.scopes ?? [])])];
    const before = await headerFor(scopes);
    const response = await next(withAuthorization(request, before));
    if (response.status !== 401) return response;
    const challenge = chosen(parseChallenges(response.header('www-authenticate') ?? ''), identity);
    if (!challenge) return response;
    gate.challenge = challenge;
    if (before?.startsWith(BEARER)) gate.tokens.forget(keyOf(scopes), before.slice(BEARER.length));
    const after = await headerFor(scopes);
    if (after === undefined || after === before) return response;
    await response.discard();
    return next(withAuthorization(request, after));
  };
}

function keyOf(scopes: readonly string[]): string {
  return [...scopes].sort().join(' ');
}

function basicOf(credential: Credential | undefined): string | undefined {
  if (credential?.kind !== 'password') return undefined;
  return basicHeader(credential.username, credential.password);
}

function withAuthorization(request: HttpRequest, authorization: string | undefined): HttpRequest {
  return authorization ? { ...request, headers: { ...request.headers, authorization } } : request;
}

// Bearer before Basic: registries that offer both mean their tokens.
function chosen(challenges: readonly Challenge[], identity: Identity): Challenge | undefined {
  const bearer = challenges.find(({ scheme, parameters }) => {
    const realm = parameters.get('realm') ?? '';
    return scheme === 'bearer' && isTrustedRealm(realm, identity.plainRealm);
  });
  return bearer ?? challenges.find(({ scheme }) => scheme === 'basic');
}

// A realm over plain HTTP would carry the password in the clear.
function isTrustedRealm(realm: string, plainRealm: boolean): boolean {
  if (!URL.canParse(realm)) return false;
  const { protocol, hostname } = new URL(realm);
  if (protocol === 'https:') return true;
  return protocol === 'http:' && (plainRealm || isLoopback(hostname));
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(hostname);
}
