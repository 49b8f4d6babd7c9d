import type { IncomingHttpHeaders } from 'node:http';

/** What a request is for. `mount` is a POST that asks for one; `elsewhere` is the target of a redirect. */
export type RequestClass =
  | 'ping'
  | 'manifest'
  | 'blob'
  | 'upload'
  | 'mount'
  | 'tags'
  | 'referrers'
  | 'token'
  | 'elsewhere'
  | 'other';

export interface RequestRecord {
  readonly class: RequestClass;
  readonly method: string;
  /** without query, as it was sent */
  readonly path: string;
  readonly query: URLSearchParams;
  /** as received, Authorization included; from a program's access log only the user agent is known */
  readonly headers: IncomingHttpHeaders;
  /** 0 where the connection was cut before an answer */
  readonly status: number;
  /** bytes of the request's body; 0 where an access log does not say */
  readonly bytesIn: number;
  /** bytes of the answer's body */
  readonly bytesOut: number;
}

/** Requests that fixtures make, to fill and to check a registry, carry this user agent and are not logged. */
export const UNLOGGED_AGENT = 'test-support';

/** The requests that a registry got, in the order in which they ended. */
export class RequestLog {
  #records: RequestRecord[] = [];

  get records(): readonly RequestRecord[] {
    return this.#records;
  }

  add(record: RequestRecord): void {
    if (record.headers['user-agent'] !== UNLOGGED_AGENT) this.#records.push(record);
  }

  /** The requests of this method and class; undefined takes all of them. */
  select(method?: string, of?: RequestClass): readonly RequestRecord[] {
    return this.#records.filter(
      (record) =>
        (method === undefined || record.method === method) &&
        (of === undefined || record.class === of),
    );
  }

  count(method?: string, of?: RequestClass): number {
    return this.select(method, of).length;
  }

  /** `METHOD class status` of every request: short enough to compare as a list. */
  summary(): readonly string[] {
    return this.#records.map(({ method, class: of, status }) => `${method} ${of} ${status}`);
  }

  clear(): void {
    this.#records = [];
  }
}

/** What a request to a registry or its token server is for, by its path and query. */
export function classify(path: string, query: URLSearchParams): RequestClass {
  if (path === '/token') return 'token';
  if (path.startsWith('/elsewhere/')) return 'elsewhere';
  if (path === '/v2/' || path === '/v2') return 'ping';
  if (/\/blobs\/uploads\/[^/]*$/.test(path)) return query.has('mount') ? 'mount' : 'upload';
  if (/\/blobs\/[^/]+$/.test(path)) return 'blob';
  if (/\/manifests\/[^/]+$/.test(path)) return 'manifest';
  if (/\/tags\/list$/.test(path)) return 'tags';
  if (/\/referrers\/[^/]+$/.test(path)) return 'referrers';
  return 'other';
}
