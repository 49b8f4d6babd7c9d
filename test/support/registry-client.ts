import { once } from 'node:events';
import { type IncomingHttpHeaders, type IncomingMessage, request as plainRequest } from 'node:http';
import { request as tlsRequest } from 'node:https';
import type { RunningRegistry } from './registry.ts';
import { UNLOGGED_AGENT } from './registry-log.ts';
import { readAll } from './registry-server.ts';
import { basicAuthorization } from './registry-users.ts';

/** Where a fixture sends its requests: a registry that a test started, or the address of any other. */
export type Target = RunningRegistry | string;

export interface ClientRequest {
  readonly method?: string;
  /** path and query, or a whole address */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  /** default: the fixtures' own, which no log holds */
  readonly agent?: string;
  /** send it without a login, and take a 401 for an answer */
  readonly anonymous?: boolean;
}

export interface ClientResponse {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** Sends one request, logging in where the registry wants that. Redirects are not followed. */
export async function send(target: Target, request: ClientRequest): Promise<ClientResponse> {
  const registry = typeof target === 'string' ? undefined : target;
  const url = new URL(request.path, registry?.url ?? (target as string));
  const first = await exchange(registry, url, request, {});
  const challenge = first.headers['www-authenticate'];
  if (first.status !== 401 || !registry?.login || request.anonymous || !challenge) return first;
  const authorization = await authorize(registry, challenge);
  return exchange(registry, url, request, { authorization });
}

/** The error codes of an answer, as the specification writes them. */
export function errorCodes({ body }: ClientResponse): readonly string[] {
  const { errors } = JSON.parse(body.toString()) as { errors: readonly { code: string }[] };
  return errors.map(({ code }) => code);
}

async function authorize(registry: RunningRegistry, challenge: string): Promise<string> {
  const login = registry.login ? basicAuthorization(registry.login) : '';
  if (!registry.tokens) return login;
  const [, scope = ''] = /scope="([^"]*)"/.exec(challenge) ?? [];
  const query = new URLSearchParams({ service: registry.tokens.service, scope });
  const url = new URL(`${registry.tokens.realm}?${query}`);
  const answer = await exchange(undefined, url, { path: '' }, { authorization: login });
  const { token, access_token } = JSON.parse(answer.body.toString());
  return `Bearer ${token ?? access_token}`;
}

async function exchange(
  registry: RunningRegistry | undefined,
  url: URL,
  { method = 'GET', headers, body, agent = UNLOGGED_AGENT }: ClientRequest,
  login: Readonly<Record<string, string>>,
): Promise<ClientResponse> {
  const options = {
    method,
    headers: {
      'user-agent': agent,
      ...(body ? { 'content-length': `${body.length}` } : {}),
      ...headers,
      ...login,
    },
    agent: false,
  };
  const request =
    url.protocol === 'https:'
      ? tlsRequest(url, { ...options, ca: registry?.authority })
      : plainRequest(url, options);
  request.end(body);
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    body: await readAll(response),
  };
}
