import { once } from 'node:events';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { type Addresses, readdressed, relinked } from './fault-proxy-address.ts';
import type { ProxyFault } from './fault-proxy-faults.ts';
import { withoutHops } from './fault-proxy-forward.ts';

/** What a client gets of the registry's answer, and how that is counted. */
export interface Relay {
  readonly response: ServerResponse;
  readonly answer: IncomingMessage;
  readonly fault: ProxyFault | undefined;
  readonly addresses: Addresses;
  /** the registry's realm, and the one that leads through here */
  readonly realm: { readonly from: string; readonly to: string } | undefined;
  readonly count: (bytes: number) => void;
}

/** Hands an answer on, damaged as the fault says, its body as it comes. */
export async function relay(relaying: Relay): Promise<void> {
  const { response, answer, fault, count } = relaying;
  const headers = headersOf(relaying);
  // A false length leaves the connection in a state that no later request can use.
  if (fault?.headers?.['content-length'] !== undefined) response.shouldKeepAlive = false;
  response.writeHead(answer.statusCode ?? 502, headers);
  response.flushHeaders();
  const limit = fault?.dropAfter ?? fault?.stallAfter;
  for await (const chunk of cut(damaged(answer, fault), limit)) {
    count(chunk.length);
    if (!response.write(chunk)) await roomIn(response);
    if (response.destroyed) return;
  }
  if (fault?.stallAfter !== undefined) return;
  if (limit === undefined) response.end();
  else response.socket?.destroySoon();
}

function headersOf({ answer, fault, addresses, realm }: Relay): IncomingHttpHeaders {
  const { location, link, 'www-authenticate': challenge, ...rest } = withoutHops(answer.headers);
  const { address } = fault ?? {};
  const linked = Array.isArray(link) ? link.join(', ') : link;
  const headers = {
    ...rest,
    ...(location ? { location: readdressed(location, address, addresses) } : {}),
    ...(linked ? { link: relinked(linked, address, addresses) } : {}),
    ...(challenge ? { 'www-authenticate': realmed(challenge, realm) } : {}),
    ...lengthOf(rest['content-length'], fault),
    ...fault?.headers,
  };
  return Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== undefined));
}

/** A challenge whose realm leads through the proxy. */
export function realmed(challenge: string, realm: Relay['realm']): string {
  return realm ? challenge.replaceAll(realm.from, realm.to) : challenge;
}

function lengthOf(length: string | undefined, fault: ProxyFault | undefined) {
  if (fault?.body !== undefined) return { 'content-length': `${Buffer.byteLength(fault.body)}` };
  if (length === undefined || fault?.truncateTo === undefined) return {};
  return { 'content-length': `${Math.min(Number(length), fault.truncateTo)}` };
}

async function* damaged(
  answer: IncomingMessage,
  fault: ProxyFault | undefined,
): AsyncGenerator<Buffer> {
  let position = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    if (fault?.body !== undefined) continue;
    const at = (fault?.corruptAt ?? -1) - position;
    if (at >= 0 && at < chunk.length) chunk[at] = (chunk[at] ?? 0) ^ 0xff;
    const end = (fault?.truncateTo ?? Number.POSITIVE_INFINITY) - position;
    position += chunk.length;
    if (end > 0) yield chunk.subarray(0, end);
  }
  if (fault?.body !== undefined) yield Buffer.from(fault.body);
}

/** The first bytes only. */
async function* cut(
  bytes: AsyncIterable<Buffer>,
  limit = Number.POSITIVE_INFINITY,
): AsyncGenerator<Buffer> {
  let left = limit;
  if (left <= 0) return;
  for await (const chunk of bytes) {
    yield chunk.subarray(0, left);
    left -= chunk.length;
    if (left <= 0) return;
  }
}

async function roomIn(response: ServerResponse): Promise<void> {
  const gone = new AbortController();
  const { signal } = gone;
  const events = ['drain', 'close'].map((event) => once(response, event, { signal }));
  await Promise.race(events).catch(() => undefined);
  gone.abort();
  await Promise.allSettled(events);
}
