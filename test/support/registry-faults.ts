import type { IncomingHttpHeaders } from 'node:http';
import type { RequestClass } from './registry-log.ts';

/** What a fault is chosen by; `path` holds no query. */
export interface FaultSubject {
  readonly method: string;
  readonly class: RequestClass;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
}

export interface FaultAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** as it is; default: the JSON of one error with `code` */
  readonly body?: string;
  readonly code?: string;
}

/** Something that goes wrong. The conditions must all hold; the effects may be combined. */
export interface Fault {
  readonly method?: string;
  readonly class?: RequestClass;
  readonly path?: RegExp;
  readonly where?: (subject: FaultSubject) => boolean;
  /** only the n-th request (from 1) that meets the conditions, counted for this fault */
  readonly nth?: number;
  /** each k-th of those requests */
  readonly every?: number;
  /** at most so often; default: always */
  readonly times?: number;

  /** waits for so many milliseconds, or for a promise that the test settles */
  readonly wait?: number | Promise<unknown>;
  /** the connection is closed, nothing is answered, nothing happened */
  readonly reset?: boolean;
  /** this is answered, nothing happened */
  readonly answer?: FaultAnswer;
  /** 401 with the registry's own challenge, as if the token had ended */
  readonly unauthorized?: boolean;
  /** the connection is closed after so many bytes of the request's body, which the registry has then */
  readonly dropUploadAfter?: number;
  /** the registry does not know of these: a mount becomes an upload (202), a range gives everything (200) */
  readonly ignore?: 'mount' | 'range';
  /** a blob is served from another origin, with this status */
  readonly redirect?: 301 | 302 | 303 | 307 | 308;
  /** the request is done, but this is what is answered */
  readonly answerAfter?: FaultAnswer;
  /** the request is done, but the connection is closed without an answer */
  readonly resetAfter?: boolean;
  /** headers of the answer that are other than they should be; undefined: not there */
  readonly headers?: Readonly<Record<string, string | undefined>>;
  /** the answer's body is replaced */
  readonly body?: string;
  /** the answer is well formed but holds only so many bytes */
  readonly truncateTo?: number;
  /** the byte at this offset of the body is wrong */
  readonly corruptAt?: number;
  /** the connection is closed after so many bytes of the answer's body */
  readonly dropAfter?: number;
  /** nothing more comes after so many bytes of the answer's body, until someone closes the connection */
  readonly stallAfter?: number;
}

interface Entry {
  readonly fault: Fault;
  seen: number;
  applied: number;
}

/** The faults of one server; the first that applies to a request is the one that happens. */
export class FaultTable {
  #entries: Entry[] = [];

  add(...faults: readonly Fault[]): void {
    this.#entries.push(...faults.map((fault) => ({ fault, seen: 0, applied: 0 })));
  }

  clear(): void {
    this.#entries = [];
  }

  /** How often faults happened, all in all or this one. */
  applied(fault?: Fault): number {
    const entries = this.#entries.filter((entry) => fault === undefined || entry.fault === fault);
    return entries.reduce((sum, entry) => sum + entry.applied, 0);
  }

  /** Chooses the fault of a request, and counts. */
  pick(subject: FaultSubject): Fault | undefined {
    const met = this.#entries.filter(({ fault }) => meets(fault, subject));
    for (const entry of met) entry.seen += 1;
    const chosen = met.find(isDue);
    if (chosen) chosen.applied += 1;
    return chosen?.fault;
  }
}

function meets(fault: Fault, subject: FaultSubject): boolean {
  if (fault.method !== undefined && fault.method !== subject.method) return false;
  if (fault.class !== undefined && fault.class !== subject.class) return false;
  if (fault.path !== undefined && !fault.path.test(subject.path)) return false;
  return fault.where === undefined || fault.where(subject);
}

function isDue({ fault, seen, applied }: Entry): boolean {
  if (fault.nth !== undefined && seen !== fault.nth) return false;
  if (fault.every !== undefined && seen % fault.every !== 0) return false;
  return fault.times === undefined || applied < fault.times;
}
