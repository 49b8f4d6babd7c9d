import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Answer } from './registry-answer.ts';
import { answerOf, damaged, pause } from './registry-damage.ts';
import type { Fault, FaultSubject, FaultTable } from './registry-faults.ts';
import { classify, type RequestLog, UNLOGGED_AGENT } from './registry-log.ts';

/** One request on its way to a handler. */
export interface Exchange extends FaultSubject {
  /** scheme and host as the client sees them */
  readonly origin: string;
  readonly fault: Fault | undefined;
  /** the request's body; reading it again gives nothing */
  readonly body: AsyncIterable<Uint8Array>;
}

export type Handler = (exchange: Exchange) => Answer | Promise<Answer>;

export interface ServerOptions {
  readonly handler: Handler;
  readonly log: RequestLog;
  readonly faults: FaultTable;
  readonly tls?: { readonly certificate: string; readonly key: string } | undefined;
}

/** A server on a free port of 127.0.0.1. */
export interface Server {
  readonly host: string;
  readonly url: string;
  /** the highest number of logged requests that were open at one time */
  maximumActive(): number;
  /** TCP connections accepted so far */
  connections(): number;
  /** Waits until no request is open, so that the log holds all of them. */
  settle(): Promise<void>;
  close(): Promise<void>;
}

export async function readAll(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Serves a handler: every request is logged, and broken as the faults say. */
export async function serve(options: ServerOptions): Promise<Server> {
  const { tls } = options;
  const open = new Set<Promise<void>>();
  let connections = 0;
  let active = 0;
  let maximum = 0;
  const listener = (request: IncomingMessage, response: ServerResponse) => {
    const weight = request.headers['user-agent'] === UNLOGGED_AGENT ? 0 : 1;
    active += weight;
    maximum = Math.max(maximum, active);
    const done = exchange(request, response, tls ? 'https' : 'http', options).finally(() => {
      active -= weight;
      open.delete(done);
    });
    open.add(done);
  };
  const server = tls
    ? createTlsServer({ cert: tls.certificate, key: tls.key }, listener)
    : createServer(listener);
  server.on('connection', () => {
    connections += 1;
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    host,
    url: `${tls ? 'https' : 'http'}://${host}`,
    maximumActive: () => maximum,
    connections: () => connections,
    settle: async () => void (await Promise.all(open)),
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
      await Promise.all(open);
    },
  };
}

/** One request from its first byte to its line in the log; never rejects. */
async function exchange(
  request: IncomingMessage,
  response: ServerResponse,
  scheme: string,
  { handler, log, faults }: ServerOptions,
): Promise<void> {
  // The socket is taken away from a request whose connection has ended.
  const { method = 'GET', headers, socket } = request;
  const url = new URL(request.url ?? '/', `${scheme}://${headers.host ?? 'localhost'}`);
  const subject: FaultSubject = {
    method,
    headers,
    path: url.pathname,
    query: url.searchParams,
    class: classify(url.pathname, url.searchParams),
  };
  const fault = faults.pick(subject);
  let bytesIn = 0;
  let bytesOut = 0;
  const closed = new Promise<void>((resolve) => void response.once('close', resolve));
  request.on('error', () => undefined);
  response.on('error', () => undefined);
  const body = counted(request, fault?.dropUploadAfter, (bytes) => {
    bytesIn += bytes;
  });
  try {
    await pause(fault?.wait, closed);
    const result = await outcome({ ...subject, origin: url.origin, fault, body }, handler);
    if (result && !response.destroyed)
      bytesOut = send(response, damaged(result, fault), method, fault);
    else socket.destroy();
  } catch (error) {
    if (!socket.destroyed && !request.destroyed)
      process.stderr.write(`test registry: ${method} ${url.pathname}: ${String(error)}\n`);
    socket.destroy();
  }
  await closed;
  const status = response.headersSent ? response.statusCode : 0;
  log.add({ ...subject, status, bytesIn, bytesOut });
}

/** The answer of a request; undefined where there is to be none. */
async function outcome(subject: Exchange, handler: Handler): Promise<Answer | undefined> {
  const { fault } = subject;
  if (fault?.reset) return undefined;
  if (fault?.answer) return answerOf(fault.answer);
  const result = await handler(subject);
  if (fault?.resetAfter) return undefined;
  return fault?.answerAfter ? answerOf(fault.answerAfter) : result;
}

/** Writes an answer and says how many bytes of its body were sent. */
function send(
  response: ServerResponse,
  { status, headers, body }: Answer,
  method: string,
  fault: Fault | undefined,
): number {
  // A false Content-Length leaves the connection in a state that no later request can use.
  if (fault?.headers?.['content-length'] !== undefined) response.shouldKeepAlive = false;
  response.writeHead(status, headers);
  if (method === 'HEAD') {
    response.end();
    return 0;
  }
  const limit = fault?.dropAfter ?? fault?.stallAfter;
  if (limit === undefined) {
    response.end(body);
    return body.length;
  }
  const sent = body.subarray(0, limit);
  response.flushHeaders();
  response.write(sent);
  if (fault?.stallAfter === undefined) response.socket?.destroySoon();
  return sent.length;
}

/** Hands a request's body on, counting it; after `limit` bytes the connection is closed. */
async function* counted(
  request: IncomingMessage,
  limit: number | undefined,
  add: (bytes: number) => void,
): AsyncGenerator<Uint8Array> {
  let left = limit ?? Number.POSITIVE_INFINITY;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    const taken = chunk.subarray(0, left);
    add(taken.length);
    yield taken;
    left -= taken.length;
    if (left > 0) continue;
    request.socket.destroy();
    throw new Error('the connection was closed in the middle of the request');
  }
}
