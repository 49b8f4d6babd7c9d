import type { Dispatcher } from 'undici';
import { printable } from '../text/printable.ts';
import { ClusterError } from './errors.ts';
import { type Access, ofContext } from './kubeconfig.ts';

/** What came back for one request. */
export interface Reply {
  readonly status: number;
  /** parsed JSON; undefined where it was none */
  readonly body: unknown;
  readonly headers: Dispatcher.ResponseData['headers'];
}

const MAXIMUM_ATTEMPTS = 5;
const MAXIMUM_WAIT_MS = 60_000;

// Too many requests at once, and a server, or a load balancer before it, that is starting or ending.
const BUSY_STATUSES = new Set([429, 502, 503, 504]);

// A kept-alive connection that the other side closed while we were writing.
const BROKEN_CONNECTIONS = new Set(['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET']);

/** @param attempt - counted from 1 */
export function isWorthAnotherTry(reply: Reply | Error, attempt: number): boolean {
  if (attempt >= MAXIMUM_ATTEMPTS) return false;
  if (reply instanceof Error) return BROKEN_CONNECTIONS.has(codeOf(reply) ?? '');
  return BUSY_STATUSES.has(reply.status) || (reply.status === 500 && hasRetryAfter(reply));
}

/** What the server asks for, in seconds by its `Retry-After`; else longer with every attempt. */
export function waitMs(reply: Reply | Error, attempt: number): number {
  const asked = reply instanceof Error ? Number.NaN : Number(reply.headers['retry-after']);
  const backoff = 100 * 2 ** attempt * (0.5 + Math.random() / 2);
  return Math.min(Number.isFinite(asked) ? asked * 1000 : backoff, MAXIMUM_WAIT_MS);
}

/** The one line, with the server and the context, for a server that gives no answer. */
export function unreachable(
  error: Error,
  access: Access,
  timeoutMs: number | undefined,
): ClusterError {
  const reason =
    error.name === 'TimeoutError' && timeoutMs !== undefined
      ? `no answer within ${timeoutMs / 1000} s`
      : reasonOf(error);
  return new ClusterError(
    'unreachable',
    `cannot reach the API server ${access.cluster.server}${ofContext(access)}: ${reason}`,
    { context: access.context, hint: hintFor(error), cause: error },
  );
}

function reasonOf(error: Error): string {
  const code = codeOf(error);
  // Node tries all addresses of a name and gives an error without text when none answers.
  return printable(error.message || code || 'no connection');
}

function hintFor(error: Error): string {
  const isAboutTls = /CERT|SELF_SIGNED|VERIFY|TLS|SSL|EPROTO/.test(codeOf(error) ?? '');
  return isAboutTls
    ? "Check the cluster's certificate-authority and tls-server-name in the kubeconfig."
    : 'Check that the cluster runs, and that --context names the one that is meant.';
}

function codeOf(error: Error): string | undefined {
  const { code, cause } = error as NodeJS.ErrnoException;
  return code ?? (cause instanceof Error ? codeOf(cause) : undefined);
}

function hasRetryAfter({ headers }: Reply): boolean {
  return headers['retry-after'] !== undefined;
}
