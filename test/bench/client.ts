import { once } from 'node:events';
import { Agent, type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http';
import { request as requestSecurely, Agent as SecureAgent } from 'node:https';
import { UNLOGGED_AGENT } from '../support/registry-log.ts';
import type { Blob } from './layer.ts';

export interface Question {
  readonly method?: 'GET' | 'HEAD' | 'POST' | 'PUT';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Pick<Blob, 'size' | 'bytes'>;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** Asks a registry, for the benchmark itself and never on behalf of a tool. */
export interface Client {
  ask(path: string, question?: Question): Promise<Answer>;
  close(): void;
}

const SOCKETS = 8;

/** @param url - the registry: scheme, host and port */
export function openClient(url: string): Client {
  const isSecure = url.startsWith('https:');
  const options = { keepAlive: true, maxSockets: SOCKETS };
  // It is the benchmark's own registry, on loopback, with a certificate made a moment ago.
  const agent = isSecure
    ? new SecureAgent({ ...options, rejectUnauthorized: false })
    : new Agent(options);
  const open = isSecure ? requestSecurely : request;
  return {
    close: () => agent.destroy(),
    ask: async (path, { method = 'GET', headers = {}, body } = {}) => {
      const size = body?.size ?? 0;
      const sent = open(new URL(path, url), {
        ...{ method, agent },
        headers: { 'user-agent': UNLOGGED_AGENT, 'content-length': `${size}`, ...headers },
      });
      const answered = once(sent, 'response') as Promise<[IncomingMessage]>;
      // Written to below: it may fail before anyone waits for the answer.
      answered.catch(() => undefined);
      for (const piece of body?.bytes() ?? [])
        if (!sent.write(piece)) await Promise.race([once(sent, 'drain'), answered]);
      sent.end();
      const [response] = await answered;
      const parts: Buffer[] = [];
      for await (const part of response) parts.push(part);
      const { statusCode = 0, headers: received } = response;
      return { status: statusCode, headers: received, body: Buffer.concat(parts) };
    },
  };
}
