import { type Challenge, parseChallenges } from './challenge.ts';
import { basicHeader, type Credential } from './credentials.ts';
import { CredentialError } from './errors.ts';
import { fetchToken, Tokens } from './token.ts';
import type { HttpRequest, Layer, Transport } from './transport.ts';
import { unlessAborted } from './unless-aborted.ts';

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
 *
 * @throws {CredentialError} the token service refuses the login, or may not be told it
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
    const { signal } = request;
    signal?.throwIfAborted();
    const before = await unlessAborted(headerFor(scopes), signal);
    const response = await next(withAuthorization(request, before));
    // Behind a redirect somebody else asks for a login; the registry's is not theirs.
    if (response.status !== 401 || response.url.origin !== request.url.origin) return response;
    const challenges = parseChallenges(response.header('www-authenticate') ?? '');
    const challenge = chosen(challenges, identity, request.url.host);
    if (!challenge) return response;
    gate.challenge = challenge;
    if (before?.startsWith(BEARER)) gate.tokens.forget(keyOf(scopes), before.slice(BEARER.length));
    const after = await unlessAborted(headerFor(scopes), signal);
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
function chosen(
  challenges: readonly Challenge[],
  { plainRealm }: Identity,
  host: string,
): Challenge | undefined {
  const realms = challenges.filter(({ scheme }) => scheme === 'bearer').filter(hasRealm);
  const basic = challenges.find(({ scheme }) => scheme === 'basic');
  const own = new URL(`http://${host}`).hostname;
  const isUsable = (bearer: Challenge): boolean => {
    const realm = realmOf(bearer);
    return isTrusted(realm, plainRealm && realm.hostname === own);
  };
  const usable = realms.find(isUsable) ?? basic;
  const [refused] = realms;
  if (usable || !refused) return usable;
  throw new CredentialError(
    `${host} wants logins at ${realmOf(refused).origin}, over plain HTTP, where all could read them; set "insecure": true for ${host} in auth.json if you trust the network`,
  );
}

function hasRealm({ parameters }: Challenge): boolean {
  const realm = parameters.get('realm') ?? '';
  return URL.canParse(realm) && /^https?:$/.test(new URL(realm).protocol);
}

function realmOf({ parameters }: Challenge): URL {
  return new URL(parameters.get('realm') ?? '');
}

// A realm over plain HTTP would carry the password in the clear.
function isTrusted({ protocol, hostname }: URL, plainRealm: boolean): boolean {
  return protocol === 'https:' || plainRealm || isLoopback(hostname);
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(hostname);
}
