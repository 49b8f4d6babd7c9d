import type { Descriptor } from '../oci/descriptor.ts';
import { StoreError } from '../oci/errors.ts';
import { printable } from '../text/printable.ts';
import { withoutSecrets } from '../text/secrets.ts';
import type { Budget } from './budget.ts';
import { LONGEST_WAIT_MS } from './retry-after.ts';

/** What a registry says of one fault, as in the distribution specification's table of codes. */
export interface Diagnostic {
  readonly code: string;
  readonly message: string;
}

export interface Refusal {
  readonly method: string;
  readonly url: URL;
  readonly status: number;
  readonly diagnostics: readonly Diagnostic[];
  /** milliseconds the server asks us to wait */
  readonly retryAfterMs?: number | undefined;
  /** the pulls that it grants, where none is left */
  readonly spent?: Budget | undefined;
}

// Used where the body names no code: the code of the specification that the status stands for.
const STATUS_CODES: Readonly<Record<number, string>> = {
  400: 'BAD_REQUEST',
  401: 'UNAUTHORIZED',
  403: 'DENIED',
  404: 'NOT_FOUND',
  405: 'UNSUPPORTED',
  408: 'TIMEOUT',
  409: 'CONFLICT',
  413: 'TOO_LARGE',
  416: 'RANGE_INVALID',
  429: 'TOOMANYREQUESTS',
};

/**
 * A registry answered with something else than what was asked for.
 *
 * @see https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#error-codes
 */
export class RegistryError extends StoreError {
  override readonly name = 'RegistryError';
  readonly status: number;
  readonly codes: readonly string[];
  readonly host: string;
  readonly retryAfterMs: number | undefined;
  readonly #isSpent: boolean;

  constructor(refusal: Refusal) {
    const { method, url, status, diagnostics } = refusal;
    const { retryAfterMs = 0, spent } = refusal;
    const until =
      retryAfterMs > LONGEST_WAIT_MS ? `; it asks to wait ${laterBy(retryAfterMs)}` : '';
    const answer = `${url.host} answered ${status} to ${method} ${printable(url.pathname, 400)}`;
    super(`${answer}${said(diagnostics)}${until}${spent ? used(spent) : ''}`);
    this.#isSpent = spent !== undefined && refusal.retryAfterMs === undefined;
    this.status = status;
    this.codes = diagnostics.map(({ code }) => code);
    this.host = url.host;
    this.retryAfterMs = refusal.retryAfterMs;
  }

  /** The first code that the registry gave, else what the status means. */
  get code(): string {
    const [code] = this.codes;
    return code ?? STATUS_CODES[this.status] ?? (this.status >= 500 ? 'UNAVAILABLE' : 'REFUSED');
  }

  override get transient(): boolean {
    const { retryAfterMs = 0 } = this;
    return isTransientStatus(this.status) && retryAfterMs <= LONGEST_WAIT_MS && !this.#isSpent;
  }

  override get forbidden(): boolean {
    return this.status === 401 || this.status === 403;
  }

  override get missing(): boolean {
    return this.status === 404;
  }

  override get incomplete(): boolean {
    return this.codes.some(
      (code) => code === 'MANIFEST_BLOB_UNKNOWN' || code === 'MANIFEST_UNKNOWN',
    );
  }
}

/** No usable answer came: the host is unknown, refuses connections, breaks them, or its certificate is not trusted. */
export class NetworkError extends StoreError {
  override readonly name = 'NetworkError';
  readonly host: string;
  /** the system's or the TLS library's code, for example ECONNREFUSED */
  readonly reason: string;

  constructor(host: string, cause: unknown) {
    const root = rootOf(cause);
    super(`${host}: ${wordsFor(root)}`, { cause });
    this.host = host;
    this.reason = root.code ?? root.name;
  }

  get code(): string {
    if (isTlsReason(this.reason)) return 'TLS';
    return this.reason === 'ENOTFOUND' || this.reason === 'EAI_AGAIN' ? 'UNKNOWN_HOST' : 'NETWORK';
  }

  /** no connection could be made at all */
  get unreachable(): boolean {
    return UNREACHABLE_REASONS.has(this.reason);
  }

  override get transient(): boolean {
    return !isTlsReason(this.reason) && !PERMANENT_REASONS.has(this.reason);
  }
}

/** A registry took all bytes of a blob and has stored another number of them. */
export class IncompleteBlobError extends StoreError {
  override readonly name = 'IncompleteBlobError';
  readonly code = 'BLOB_UPLOAD_INVALID';

  constructor(host: string, { digest, size }: Descriptor, stored: number) {
    super(`${host} stored ${stored} of the ${size} bytes of ${digest}`);
  }

  override get transient(): boolean {
    return true;
  }
}

/** A source of credentials that is there but cannot be used, or a login that the registry refused. */
export class CredentialError extends StoreError {
  override readonly name = 'CredentialError';
  readonly code = 'UNAUTHORIZED';
}

/** The key of sealed logins cannot be read, understood or made: no registry has refused anything. */
export class SealKeyError extends StoreError {
  override readonly name = 'SealKeyError';
  readonly code = 'SEAL_KEY';
  readonly hint =
    '"openssl rand -base64 32" makes a key for $MIGRATE_IMAGES_AUTH_KEY; --no-encrypt-auth does without one';
}

function used({ limit, windowMs }: Budget): string {
  return `; its ${limit} pulls in ${Math.round(windowMs / 3_600_000)} hours are used up`;
}

function laterBy(ms: number): string {
  return `until ${new Date(Date.now() + ms).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

function said(diagnostics: readonly Diagnostic[]): string {
  const texts = diagnostics.map(({ code, message }) =>
    printable(withoutSecrets(message ? `${code}: ${message}` : code)),
  );
  return texts.length > 0 ? ` (${printable(texts.join('; '))})` : '';
}

interface SystemError {
  readonly code?: string;
  readonly name: string;
  readonly message: string;
}

// undici and node:net wrap the error that matters, sometimes in an AggregateError with one entry for each address.
function rootOf(error: unknown): SystemError {
  let current = error;
  for (let depth = 0; depth < 5 && current instanceof Error; depth += 1) {
    const [first] = current instanceof AggregateError ? current.errors : [];
    const inner: unknown = first ?? current.cause;
    if (!(inner instanceof Error)) break;
    current = inner;
  }
  // A body may throw anything.
  return current instanceof Error ? current : new Error(String(current));
}

const WORDS: Readonly<Record<string, string>> = {
  ENOTFOUND: 'no host of this name is known',
  EAI_AGAIN: 'the name of this host cannot be resolved at the moment',
  ECONNREFUSED: 'nothing answers there (connection refused)',
  ECONNRESET: 'the connection was cut',
  EPIPE: 'the connection was cut',
  UND_ERR_SOCKET: 'the connection was cut',
  ETIMEDOUT: 'no answer in time',
  EHOSTUNREACH: 'no route to this host',
  ENETUNREACH: 'no route to its network',
  UND_ERR_CONNECT_TIMEOUT: 'no answer in time',
  UND_ERR_HEADERS_TIMEOUT: 'no answer in time',
  UND_ERR_BODY_TIMEOUT: 'the transfer stalled',
  EPROTO: 'it does not speak TLS (plain HTTP?)',
  ERR_SSL_WRONG_VERSION_NUMBER: 'it does not speak TLS (plain HTTP?)',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'it does not speak TLS (plain HTTP?)',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is self-signed',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate chain is self-signed',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate is signed by an unknown authority',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'its certificate is signed by an unknown authority',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another host',
};

function wordsFor({ code, message }: SystemError): string {
  return (code && WORDS[code]) ?? printable(message);
}

function isTlsReason(reason: string): boolean {
  return /CERT|SSL|TLS|EPROTO|SIGNATURE/.test(reason);
}

const UNREACHABLE_REASONS = new Set([
  ...['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'ENETDOWN', 'EHOSTDOWN'],
  ...['ETIMEDOUT', 'UND_ERR_CONNECT_TIMEOUT', 'EAI_AGAIN'],
]);
const PERMANENT_REASONS = new Set(['ENOTFOUND', 'ERR_INVALID_URL']);
// What a server cannot do, and a full disk, do not change in a moment; proxies invent codes above 511.
const PERMANENT_STATUSES = new Set([501, 505, 507]);

/** Whether the same request may go well a moment later. */
export function isTransientStatus(status: number): boolean {
  return status === 408 || status === 429 || (status >= 500 && !PERMANENT_STATUSES.has(status));
}
