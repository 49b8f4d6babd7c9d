import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { after, before, describe, type TestContext, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { NetworkError } from '../../src/registry/errors.ts';
import { openTransport, type Transport } from '../../src/registry/transport.ts';
import { type Certificates, makeCertificates } from '../support/certificates.ts';
import { collect, failureOf } from './opening.ts';

// A connection receives into memory that is used again once its bytes were sent on. Whatever the pace of either side, the
// bytes must be those that came, and the memory must not grow with them.

const MEBIBYTE = 1024 * 1024;
const CONTENT = randomBytes(32 * MEBIBYTE);
const DIGEST = sha256(CONTENT);

let certificates: Certificates;

before(async () => {
  certificates = await makeCertificates();
});
after(() => certificates.remove());

type Handler = (request: IncomingMessage, response: ServerResponse) => unknown;

async function serve(context: TestContext, handler: Handler, secure = false): Promise<URL> {
  const { certificate: cert, key } = certificates;
  const server: Server = secure
    ? createSecureServer({ cert, key }, (...args) => void handler(...args))
    : createServer((...args) => void handler(...args));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  context.after(() => {
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  return new URL(`${secure ? 'https' : 'http'}://127.0.0.1:${port}/`);
}

function opened(context: TestContext): Transport {
  const { transport, close } = openTransport({ ca: certificates.authority });
  context.after(close);
  return transport;
}

const whole: Handler = (_, response) => {
  response.setHeader('content-length', CONTENT.length);
  response.end(CONTENT);
};

/** Answers an upload with the digest of what came, after a moment's rest at every so many chunks. */
function digesting(restEvery = Number.POSITIVE_INFINITY): Handler {
  return async (request, response) => {
    const hash = createHash('sha256');
    let chunks = 0;
    for await (const chunk of request) {
      hash.update(chunk);
      chunks += 1;
      if (chunks % restEvery === 0) for (let rest = 0; rest < 50; rest += 1) await turn();
    }
    response.end(hash.digest('hex'));
  };
}

interface Passage {
  readonly digest: string;
  /** pieces of memory that the bytes stood in on their way */
  readonly pieces: number;
}

async function pass(transport: Transport, from: URL, to: URL): Promise<Passage> {
  const pieces = new Set<ArrayBufferLike>();
  const source = await transport({ method: 'GET', url: from });
  const body = async function* () {
    for await (const chunk of source.body) {
      pieces.add(chunk.buffer);
      yield chunk;
    }
  };
  const answer = await transport({
    method: 'PUT',
    url: to,
    headers: { 'content-length': String(CONTENT.length) },
    body: async () => body(),
  });
  return { digest: `${await collect(answer.body)}`, pieces: pieces.size };
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

describe('bytes that are passed on', () => {
  for (const secure of [false, true])
    test(`stand in a few pieces of memory, over ${secure ? 'TLS' : 'TCP'}`, async (context) => {
      const from = await serve(context, whole, secure);
      const to = await serve(context, digesting(), secure);

      const { digest, pieces } = await pass(opened(context), from, to);

      assert.equal(digest, DIGEST);
      // 32 MiB: 128 slabs if none were used twice, and 512 reads of a plain socket.
      assert.ok(pieces <= 16, `${pieces} pieces of memory`);
    });

  test('wait for whoever receives them slowly, in as few pieces', async (context) => {
    const from = await serve(context, whole);
    const to = await serve(context, digesting(4));

    const { digest, pieces } = await pass(opened(context), from, to);

    assert.equal(digest, DIGEST);
    assert.ok(pieces <= 16, `${pieces} pieces of memory`);
  });

  test('are left alone by other transfers while they wait to be sent', async (context) => {
    const from = await serve(context, whole);
    const steady = await serve(context, digesting());
    const { promise: others, resolve: goOn } = Promise.withResolvers<void>();
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
    const stalled = await serve(context, async (request, response) => {
      begin();
      await others;
      return digesting()(request, response);
    });
    const transport = opened(context);

    const waiting = pass(transport, from, stalled);
    await begun;
    for (let round = 0; round < 3; round += 1) {
      const passages = await Promise.all([1, 2].map(() => pass(transport, from, steady)));
      for (const { digest } of passages) assert.equal(digest, DIGEST);
    }
    goOn();

    assert.equal((await waiting).digest, DIGEST);
  });
});

describe('bytes that are read', () => {
  test('are those of each answer, however many come over one connection', async (context) => {
    const sizes = [0, 1, 100_000, 7, 3 * MEBIBYTE, 65_536, 200_000, 12];
    const seen = new Set<Socket>();
    const url = await serve(context, ({ url: path = '', socket }, response) => {
      seen.add(socket);
      response.end(CONTENT.subarray(0, Number(path.slice(1))));
    });
    const transport = opened(context);

    for (const size of sizes) {
      const answer = await transport({ method: 'GET', url: new URL(`/${size}`, url) });
      const body = await collect(answer.body);

      assert.equal(answer.header('content-length'), String(size));
      assert.equal(sha256(body), sha256(CONTENT.subarray(0, size)));
    }
    assert.ok(seen.size <= 2);
  });

  test('may come in chunks of any size', async (context) => {
    const url = await serve(context, async (_, response) => {
      for (let at = 0, size = 1; at < CONTENT.length; at += size, size = (size * 5) % 300_007)
        if (!response.write(CONTENT.subarray(at, at + size))) await once(response, 'drain');
      response.end();
    });

    const { body } = await opened(context)({ method: 'GET', url });

    assert.equal(sha256(await collect(body)), DIGEST);
  });

  test('may end with the connection', async (context) => {
    const url = await serve(context, (_, response) => {
      response.removeHeader('transfer-encoding');
      response.useChunkedEncodingByDefault = false;
      response.end(CONTENT);
    });

    const { body } = await opened(context)({ method: 'GET', url });

    assert.equal(sha256(await collect(body)), DIGEST);
  });

  test('are all there when the head comes in pieces', async (context) => {
    const url = await serve(context, ({ socket }) => {
      const head = `HTTP/1.1 200 OK\r\nX-Long: ${'x'.repeat(10_000)}\r\nContent-Length: ${CONTENT.length}\r\n\r\n`;
      socket.setNoDelay(true);
      for (let at = 0; at < head.length; at += 97) socket.write(head.slice(at, at + 97));
      socket.write(CONTENT);
    });

    const answer = await opened(context)({ method: 'GET', url });

    assert.equal(answer.header('x-long')?.length, 10_000);
    assert.equal(sha256(await collect(answer.body)), DIGEST);
  });

  test('break off with the connection', async (context) => {
    const url = await serve(context, ({ socket }, response) => {
      response.setHeader('content-length', CONTENT.length);
      response.write(CONTENT.subarray(0, 5 * MEBIBYTE), () => socket.destroy());
    });

    const { body } = await opened(context)({ method: 'GET', url });

    assert.ok((await failureOf(collect(body))) instanceof NetworkError);
  });

  test('cost the connection where nobody wants the rest', async (context) => {
    const { promise: gone, resolve: closed } = Promise.withResolvers<void>();
    const url = await serve(context, (request, response) => {
      request.socket.on('close', () => closed());
      whole(request, response);
    });

    const { body } = await opened(context)({ method: 'GET', url });
    for await (const chunk of body) {
      assert.ok(chunk.byteLength > 0);
      break;
    }

    await gone;
  });
});

test('HTTP/1.1 is spoken also where HTTP/2 is offered', async (context) => {
  const { createSecureServer: createHttp2Server } = await import('node:http2');
  const { certificate: cert, key } = certificates;
  const server = createHttp2Server({ cert, key, allowHTTP1: true }, (request, response) => {
    response.end(request.httpVersion);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  context.after(() => server.close());
  const url = new URL(`https://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  const { transport, close } = openTransport({ ca: certificates.authority });

  const answer = await transport({ method: 'GET', url });

  assert.equal(`${await collect(answer.body)}`, '1.1');
  await close();
});
