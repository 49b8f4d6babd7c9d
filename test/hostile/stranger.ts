import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import type { Certificates } from '../support/certificates.ts';

/** What a stranger was asked, and with which login. */
export interface Asked {
  readonly method: string;
  /** path and query */
  readonly path: string;
  readonly authorization: string | undefined;
  /** what came as the request's body, as text; filled while it comes */
  body: string;
}

/** A server that does what a test wants, and remembers what came. */
export interface Stranger {
  /** `127.0.0.1:PORT` */
  readonly host: string;
  readonly url: string;
  readonly port: number;
  readonly asked: readonly Asked[];
  /** The same server under another of its names: `0.0.0.0`, `localhost`. */
  at(name: string): string;
}

/** Says something to a request; everything that it was asked before is in `asked`. */
export type Behavior = (request: IncomingMessage, response: ServerResponse) => void;

/** Starts a server on all addresses of this machine, for one test. */
export async function meet(
  context: TestContext,
  behavior: Behavior,
  tls?: Certificates,
): Promise<Stranger> {
  const asked: Asked[] = [];
  const server = tls
    ? createTlsServer({ cert: tls.certificate, key: tls.key })
    : createServer({ keepAlive: true });
  server.on('request', (request, response) => {
    const { method = '', url = '' } = request;
    const entry = { method, path: url, authorization: request.headers.authorization, body: '' };
    asked.push(entry);
    request.on('data', (chunk: Buffer) => {
      entry.body += chunk;
    });
    request.on('error', () => undefined);
    response.on('error', () => undefined);
    behavior(request, response);
  });
  server.on('clientError', (_, socket) => socket.destroy());
  server.listen(0, '::');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  context.after(() => {
    server.close();
    server.closeAllConnections();
  });
  const at = (name: string) => `${tls ? 'https' : 'http'}://${name}:${port}`;
  const host = `127.0.0.1:${port}`;
  return { host, url: at('127.0.0.1'), port, asked, at };
}
