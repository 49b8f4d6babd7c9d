import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { ProxyFaults } from './fault-proxy-faults.ts';
import { listen } from './fault-proxy-listener.ts';
import { type Passage, pass } from './fault-proxy-pass.ts';
import { realmed } from './fault-proxy-relay.ts';
import type { RunningRegistry } from './registry.ts';
import { send } from './registry-client.ts';
import { RequestLog } from './registry-log.ts';

/** A registry as it is seen through a proxy that breaks what its faults say, and counts what passes. */
export interface FaultProxy extends RunningRegistry {
  readonly faults: ProxyFaults;
  /** Nothing listens here any more, and all connections are closed. */
  goAway(): Promise<void>;
  /** Listens again, at the same port. */
  comeBack(): Promise<void>;
  /** how many requests to the other origin brought an Authorization header along */
  leakedAuthorization(): number;
  /** bytes of all bodies that passed, those of fixtures left out */
  bytes(): { readonly in: number; readonly out: number };
}

/**
 * Starts a proxy before a registry that speaks plain HTTP, on two free ports of 127.0.0.1: the registry, and another
 * origin for what is redirected. The Host header stays as it is, so that the registry's own addresses lead back
 * here, and so does the realm of its token server. Nothing is held: bodies pass as they come.
 */
export async function startFaultProxy(upstream: RunningRegistry): Promise<FaultProxy> {
  const log = new RequestLog();
  const faults = new ProxyFaults();
  /** by the secret in an address elsewhere: the login that it stands for */
  const logins = new Map<string, string | undefined>();
  let leaked = 0;
  const realmOf = (origin: string) =>
    upstream.tokens && { from: upstream.tokens.realm, to: `${origin}/token` };

  const passage = (origin: string): Omit<Passage, 'target' | 'authorization'> => ({
    ...{ origin, faults, log, realm: realmOf(origin) },
    addressElsewhere: (target, authorization) => {
      const secret = randomUUID();
      logins.set(secret, authorization);
      return `${other.origin}/elsewhere/${secret}${target}`;
    },
    challenge: async (method, target) => {
      const path = upstream.login ? target : '/v2/';
      const asked = await send(upstream, { method, path, anonymous: true });
      const challenge = asked.headers['www-authenticate'] ?? 'Basic realm="test registry"';
      return realmed(challenge, realmOf(origin));
    },
    goAwayFor: async (ms) => {
      await main.goAway();
      if (ms === Number.POSITIVE_INFINITY) return;
      setTimeout(() => void main.comeBack(), ms).unref();
    },
  });

  const answer = (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const path = request.url ?? '/';
    const isToken = upstream.tokens !== undefined && /^\/token(?:\?|$)/.test(path);
    const target = new URL(path, isToken ? upstream.tokens?.realm : upstream.url);
    const { authorization } = request.headers;
    return pass(request, response, { ...passage(main.origin), target, authorization });
  };
  const answerElsewhere = (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const [, secret = '', path = '/'] =
      /^\/elsewhere\/([^/]+)(\/.*)$/.exec(request.url ?? '') ?? [];
    if (request.headers.authorization !== undefined) leaked += 1;
    // Storage services refuse a request that is authorized twice, and one without its signature.
    const refusal = request.headers.authorization === undefined ? undefined : 400;
    return pass(request, response, {
      ...passage(main.origin),
      target: new URL(path, upstream.url),
      authorization: logins.get(secret),
      refusal: refusal ?? (logins.has(secret) ? undefined : 403),
    });
  };
  const [main, other] = await Promise.all([listen(answer), listen(answerElsewhere)]);
  const realm = realmOf(main.origin)?.to;
  return {
    ...{ host: main.host, url: main.origin, log, faults },
    ...{ login: upstream.login, authority: undefined },
    tokens: upstream.tokens && realm ? { ...upstream.tokens, realm } : undefined,
    goAway: main.goAway,
    comeBack: main.comeBack,
    leakedAuthorization: () => leaked,
    bytes: () => ({
      in: log.records.reduce((sum, { bytesIn }) => sum + bytesIn, 0),
      out: log.records.reduce((sum, { bytesOut }) => sum + bytesOut, 0),
    }),
    settle: async () => void (await Promise.all([main.settle(), other.settle()])),
    close: async () => void (await Promise.all([main.close(), other.close()])),
  };
}
