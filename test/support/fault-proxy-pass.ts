import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ProxyFault, ProxyFaults } from './fault-proxy-faults.ts';
import { CutError, forward, StalledError } from './fault-proxy-forward.ts';
import { type Relay, relay } from './fault-proxy-relay.ts';
import { type Answer, answer, answerErrors } from './registry-answer.ts';
import { answerOf, pause } from './registry-damage.ts';
import type { FaultSubject } from './registry-faults.ts';
import { classify, type RequestLog } from './registry-log.ts';

/** What one request needs to know of the proxy that it passes. */
export interface Passage {
  /** the proxy, as clients see it */
  readonly origin: string;
  /** where the request goes */
  readonly target: URL;
  /** the login that it goes with */
  readonly authorization: string | undefined;
  /** it goes nowhere: this is answered */
  readonly refusal?: number | undefined;
  readonly faults: ProxyFaults;
  readonly log: RequestLog;
  readonly realm: Relay['realm'];
  readonly addressElsewhere: (target: string, authorization: string | undefined) => string;
  /** what the registry says to whoever asks without a login */
  readonly challenge: (method: string, target: string) => Promise<string>;
  readonly goAwayFor: (ms: number) => Promise<void>;
}

/** One request from its first byte to its line in the log; never rejects. */
export async function pass(
  request: IncomingMessage,
  response: ServerResponse,
  passage: Passage,
): Promise<void> {
  const { method = 'GET', headers, socket } = request;
  const url = new URL(request.url ?? '/', passage.origin);
  const subject: FaultSubject = {
    ...{ method, headers, path: url.pathname, query: url.searchParams },
    class: classify(url.pathname, url.searchParams),
  };
  const fault = passage.faults.pick(subject);
  const count = { bytesIn: 0, bytesOut: 0 };
  const closed = new Promise<void>((resolve) => void response.once('close', resolve));
  request.on('error', () => undefined);
  response.on('error', () => undefined);
  // Who asks for the end of the connection ends it; here it would take along an answer to a body that is not read.
  response.shouldKeepAlive = true;
  try {
    await pause(fault?.wait, closed);
    const own = await ownAnswer(subject, fault, passage);
    if (own === 'cut') socket.destroy();
    else if (own) count.bytesOut += write(response, own, method);
    else await passOn(request, response, fault, passage, count);
    await closed;
  } catch (error) {
    // Nobody learns that a client has gone whose bytes nobody reads: the proxy's own end ends this.
    if (!(error instanceof StalledError)) socket.destroy();
    if (!isOfTheNetwork(error)) process.stderr.write(`fault proxy: ${method}: ${String(error)}\n`);
  }
  const status = response.headersSent ? response.statusCode : 0;
  passage.log.add({ ...subject, status, ...count });
}

/** What is answered, or not, without asking the registry. */
async function ownAnswer(
  { method, class: of }: FaultSubject,
  fault: ProxyFault | undefined,
  { target, authorization, refusal, challenge, addressElsewhere, goAwayFor }: Passage,
): Promise<Answer | 'cut' | undefined> {
  const path = `${target.pathname}${target.search}`;
  if (fault?.away !== undefined) {
    await goAwayFor(fault.away);
    return 'cut';
  }
  if (fault?.reset) return 'cut';
  if (fault?.answer) return answerOf(fault.answer);
  if (refusal !== undefined) return answer(refusal);
  if (fault?.unauthorized)
    return answerErrors(401, [{ code: 'UNAUTHORIZED' }], {
      'www-authenticate': await challenge(method, path),
    });
  if (fault?.redirect && of === 'blob')
    return answer(fault.redirect, { location: addressElsewhere(path, authorization) });
  return undefined;
}

async function passOn(
  request: IncomingMessage,
  response: ServerResponse,
  fault: ProxyFault | undefined,
  { origin, target, authorization, realm, addressElsewhere }: Passage,
  count: { bytesIn: number; bytesOut: number },
): Promise<void> {
  const { method = 'GET', headers } = request;
  const { authorization: _, range, ...rest } = headers;
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  const received = await forward({
    ...{ method, fault, body: request, signal: gone.signal, url: altered(target, fault) },
    headers: {
      ...rest,
      host: new URL(origin).host,
      ...(authorization === undefined ? {} : { authorization }),
      ...(range === undefined || fault?.ignore === 'range' ? {} : { range }),
    },
    count: (bytes) => {
      count.bytesIn += bytes;
    },
  });
  const instead = fault?.answerAfter;
  if (instead || fault?.resetAfter) {
    for await (const _chunk of received);
    if (instead) count.bytesOut += write(response, answerOf(instead), method);
    else request.socket.destroy();
    return;
  }
  await relay({
    ...{ response, fault, realm, answer: received },
    addresses: { origin, elsewhere: (path) => addressElsewhere(path, authorization) },
    count: (bytes) => {
      count.bytesOut += bytes;
    },
  });
}

/** The address that the registry is asked at. */
function altered(target: URL, fault: ProxyFault | undefined): URL {
  const url = new URL(target);
  if (fault?.ignore === 'mount')
    for (const name of ['mount', 'from']) url.searchParams.delete(name);
  if (fault?.pageSize !== undefined) url.searchParams.set('n', `${fault.pageSize}`);
  return url;
}

function write(response: ServerResponse, { status, headers, body }: Answer, method: string) {
  response.writeHead(status, { ...headers });
  response.end(method === 'HEAD' ? undefined : body);
  return method === 'HEAD' ? 0 : body.length;
}

// Whoever cuts a connection need not be told of it.
function isOfTheNetwork(error: unknown): boolean {
  if (error instanceof CutError || error instanceof StalledError) return true;
  const { code, name } = error as NodeJS.ErrnoException;
  return code !== undefined || name === 'AbortError';
}
