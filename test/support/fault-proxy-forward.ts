import { once } from 'node:events';
import {
  type ClientRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  request as send,
} from 'node:http';
import type { ProxyFault } from './fault-proxy-faults.ts';

/** One request on its way to the registry. */
export interface Forwarding {
  readonly method: string;
  /** the whole address at the registry */
  readonly url: URL;
  readonly headers: IncomingHttpHeaders;
  readonly body: IncomingMessage;
  readonly fault: ProxyFault | undefined;
  /** is told how many bytes of the body were handed on */
  readonly count: (bytes: number) => void;
  /** the client has gone */
  readonly signal: AbortSignal;
}

/** The connection is to end in the middle of the request. */
export class CutError extends Error {}

/** The connection is to stay as it is, in the middle of the request. */
export class StalledError extends Error {}

// Those that speak of one connection only.
const HOP_BY_HOP = ['connection', 'keep-alive', 'transfer-encoding'];

export function withoutHops(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  const entries = Object.entries(headers).filter(([name]) => !HOP_BY_HOP.includes(name));
  return Object.fromEntries(entries);
}

/**
 * Sends a request on, its body as it comes, and gives the registry's answer as soon as its head is there.
 *
 * @throws {CutError} or {StalledError}, as the fault wants it
 * @throws what the connection to the registry broke with
 */
export async function forward(forwarding: Forwarding): Promise<IncomingMessage> {
  const { method, url, headers, signal } = forwarding;
  // A connection of its own for each request: one that the registry has closed meanwhile would be one more fault.
  // The registry must not close it either, or an answer before the end of the body could be lost.
  const kept = { ...withoutHops(headers), connection: 'keep-alive' };
  const request = send(url, { method, headers: kept, agent: false, signal });
  const answered = once(request, 'response') as Promise<[IncomingMessage]>;
  // What comes behind the answer, or instead of one, is not of interest once there is an answer.
  request.on('error', () => undefined);
  const sent = sendBody(request, forwarding);
  const [answer] = await Promise.race([answered, sent.then(() => answered)]);
  return answer;
}

/** Never rejects where the registry does not want to read on: its answer says why. */
async function sendBody(request: ClientRequest, forwarding: Forwarding): Promise<void> {
  const { body, fault, count } = forwarding;
  const limit = fault?.dropUploadAfter ?? fault?.stallUploadAfter;
  let position = 0;
  for await (const chunk of body.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    // The registry has said enough: the rest is read off, so that the client's connection stays of use.
    if (request.destroyed) return void body.resume();
    const taken = corrupted(
      chunk.subarray(0, (limit ?? Number.POSITIVE_INFINITY) - position),
      position,
      fault,
    );
    position += taken.length;
    count(taken.length);
    if (limit === undefined || position < limit) {
      if (!request.write(taken)) await roomIn(request);
      continue;
    }
    // What the registry gets before the cut it gets for sure.
    await new Promise((resolve) => request.write(taken, resolve));
    if (fault?.dropUploadAfter === undefined) throw new StalledError();
    request.socket?.destroySoon();
    throw new CutError();
  }
  request.end();
}

function corrupted(chunk: Buffer, position: number, fault: ProxyFault | undefined): Buffer {
  const at = (fault?.corruptUploadAt ?? -1) - position;
  if (at < 0 || at >= chunk.length) return chunk;
  const wrong = Buffer.from(chunk);
  wrong[at] = (wrong[at] ?? 0) ^ 0xff;
  return wrong;
}

/** Waits until more may be written, or nobody reads any more. */
async function roomIn(request: ClientRequest): Promise<void> {
  const gone = new AbortController();
  const { signal } = gone;
  const events = ['drain', 'close'].map((event) => once(request, event, { signal }));
  await Promise.race(events).catch(() => undefined);
  gone.abort();
  await Promise.allSettled(events);
}
