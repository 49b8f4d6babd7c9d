/** What a handler answers; a HEAD request gets the headers of it. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

export type Headers = Readonly<Record<string, string>>;

export function answer(status: number, headers: Headers = {}, body: Uint8Array = EMPTY): Answer {
  return { status, body, headers: { 'content-length': `${body.length}`, ...headers } };
}

export function answerJson(status: number, value: unknown, headers: Headers = {}): Answer {
  const body = Buffer.from(JSON.stringify(value));
  return answer(status, { 'content-type': 'application/json; charset=utf-8', ...headers }, body);
}

export interface SpecificationError {
  readonly code: string;
  readonly message?: string;
  readonly detail?: unknown;
}

/** @see https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#error-codes */
export function answerErrors(
  status: number,
  errors: readonly SpecificationError[],
  headers: Headers = {},
): Answer {
  const written = errors.map((error) => ({ message: MESSAGES[error.code] ?? '', ...error }));
  return answerJson(status, { errors: written }, headers);
}

export function answerError(status: number, code: string, detail?: unknown): Answer {
  return answerErrors(status, [{ code, detail }]);
}

const EMPTY = new Uint8Array();

const MESSAGES: Readonly<Record<string, string>> = {
  BLOB_UNKNOWN: 'blob unknown to registry',
  BLOB_UPLOAD_INVALID: 'blob upload invalid',
  BLOB_UPLOAD_UNKNOWN: 'blob upload unknown to registry',
  DENIED: 'requested access to the resource is denied',
  DIGEST_INVALID: 'provided digest did not match uploaded content',
  MANIFEST_BLOB_UNKNOWN: 'blob unknown to registry',
  MANIFEST_INVALID: 'manifest invalid',
  MANIFEST_UNKNOWN: 'manifest unknown',
  NAME_INVALID: 'invalid repository name',
  NAME_UNKNOWN: 'repository name not known to registry',
  TOOMANYREQUESTS: 'too many requests',
  UNAUTHORIZED: 'authentication required',
  UNKNOWN: 'unknown error',
  UNSUPPORTED: 'The operation is unsupported.',
};
