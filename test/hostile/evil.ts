import type { Socket } from 'node:net';
import { image, madeUp, type Served } from './contents.ts';

/** Moves the cursor, sets the title, clears the screen, turns the direction of a text, and hides what follows. */
export const EVIL =
  'EVIL\u001b]0;title\u0007\u001b[2J\u001b[?1049h\u001b[31m\u009b2J\u0085\u202e\u2066\u200f\u061c\u0000\u0008\u007f\r';
/** The same in the characters that a header can carry: with another one no answer would be read at all. */
const EVIL_HEADER = 'EVIL\u009b2J\u0085\u009d0;title\u009c\u00ff';
const LONG = 'long'.repeat(3_000);

const CONTROLS =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
  /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/;

/** The first character of a text that no server may bring there, with what stands around it. */
export function rawIn(text: string): string | undefined {
  const at = CONTROLS.exec(text)?.index;
  return at === undefined ? undefined : JSON.stringify(text.slice(Math.max(0, at - 60), at + 60));
}

export function longestLineOf(text: string): number {
  return Math.max(...text.split('\n').map(({ length }) => length));
}

interface Said {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

const errors = (code: string, message: string) => JSON.stringify({ errors: [{ code, message }] });
const served = ({ bytes, digest, mediaType }: Served): Said => ({
  headers: { 'content-type': mediaType, 'docker-content-digest': digest },
  body: `${bytes}`,
});

/** What is said to who asks for anything of a repository, by its name. */
export const SAYINGS: Readonly<Record<string, Said>> = {
  code: { status: 403, body: errors(EVIL, EVIL) },
  message: { status: 403, body: errors('DENIED', EVIL) },
  'long-message': { status: 403, body: errors('DENIED', EVIL + LONG) },
  'many-errors': {
    status: 403,
    body: JSON.stringify({ errors: Array(4).fill({ code: 'DENIED', message: EVIL + LONG }) }),
  },
  'not-json': { status: 404, body: EVIL },
  location: { status: 307, headers: { location: `/v2/location/${EVIL_HEADER}${LONG}` } },
  'location-elsewhere': { status: 307, headers: { location: `http://${EVIL_HEADER}/x` } },
  'content-type': {
    headers: { 'content-type': `application/x+${EVIL_HEADER}` },
    body: '{"layers":1}',
  },
  digest: { headers: { 'docker-content-digest': EVIL_HEADER }, body: '{"layers":1}' },
  realm: { status: 401, headers: { 'www-authenticate': `Bearer realm="${EVIL_HEADER}"` } },
  'realm-host': {
    status: 401,
    headers: { 'www-authenticate': `Bearer realm="http://HOST/${EVIL_HEADER}"` },
  },
  basic: { status: 401, headers: { 'www-authenticate': `Basic realm="${EVIL_HEADER}${LONG}"` } },
  // It is asked again, which takes long enough to be drawn.
  trouble: { status: 500, headers: { 'retry-after': EVIL_HEADER }, body: errors('UNKNOWN', EVIL) },
  limits: {
    status: 404,
    headers: { 'ratelimit-limit': `9;w=9${EVIL_HEADER}`, 'ratelimit-remaining': EVIL_HEADER },
  },
  'layer-digest': served(image({ layers: [{ digest: EVIL + LONG, size: 1 }] })),
  'layer-size': served(image({ layers: [{ digest: madeUp(1), size: EVIL + LONG }] })),
  'media-type': served(image({ mediaType: EVIL + LONG })),
  'tag-names': {
    body: JSON.stringify({ name: EVIL, tags: [EVIL, `${LONG}`, 'v1\u202e', '../v1'] }),
  },
  'tag-location': {
    status: 307,
    headers: { location: `/v2/tag-location/${EVIL_HEADER}${LONG}` },
  },
  'tag-link': { headers: { link: `<http://${EVIL_HEADER}/>; rel="next"` }, body: '{"tags":[]}' },
};

/** Answers one request as {@link SAYINGS} want it, without a library that would mind; HOST stands for its own name. */
export function sayEvil(head: string, socket: Socket): void {
  const [, name = ''] = /^\S+ \/v2\/([^/]+)\//.exec(head) ?? [];
  const [, host = ''] = /\r\nhost: (\S+)/i.exec(head) ?? [];
  const { status = 200, headers = {}, body = '' } = SAYINGS[name] ?? {};
  const length = Buffer.byteLength(body);
  const lines = Object.entries({ ...headers, 'content-length': length }).map(
    ([key, value]) => `${key}: ${`${value}`.replace('HOST', host)}\r\n`,
  );
  socket.write(`HTTP/1.1 ${status} ${EVIL_HEADER}\r\n${lines.join('')}\r\n`, 'latin1');
  if (!head.startsWith('HEAD')) socket.write(body);
}
