import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { handClock } from './hand-clock.ts';
import { noisePieces } from './noise.ts';
import { type LinkOptions, startRelay } from './relay.ts';
import type { Clock } from './relay-line.ts';

/** A server that gives back what it gets, and how many connections it saw. */
async function startEcho(t: TestContext) {
  const sockets = new Set<Socket>();
  const received: Buffer[] = [];
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => received.push(chunk));
    socket.pipe(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { host, server, received };
}

async function setUp(t: TestContext, options: LinkOptions, clock?: Clock) {
  const echo = await startEcho(t);
  const relay = await startRelay(echo.host, options, clock);
  t.after(() => relay.close());
  const [address, port] = relay.host.split(':');
  const socket = connect({ host: address, port: Number(port), allowHalfOpen: true });
  t.after(() => socket.destroy());
  return { echo, relay, socket };
}

describe('a relay', { timeout: 20_000 }, () => {
  it('hands on every byte as it was, both ways, and the end', async (t) => {
    const { socket } = await setUp(t, { roundTripMs: 2, bitsPerSecond: 800e6 });
    const sent = createHash('sha256');
    const back = createHash('sha256');
    let size = 0;
    socket.on('data', (chunk) => {
      back.update(chunk);
      size += chunk.length;
    });

    for (const piece of noisePieces('relay', 6_000_000)) {
      sent.update(piece);
      socket.write(piece);
    }
    socket.end();
    await once(socket, 'end');

    assert.equal(size, 6_000_000);
    assert.equal(back.digest('hex'), sent.digest('hex'));
  });

  it('lets the first byte arrive a round trip and a half after the connection began', async (t) => {
    const clock = handClock();
    const pushed = Promise.withResolvers<void>();
    // A flow asks for a call only once it holds bytes that are not due.
    const watched: Clock = {
      now: clock.now,
      after: (delay, call) => {
        clock.after(delay, call);
        pushed.resolve();
      },
    };
    const { echo, socket } = await setUp(t, { roundTripMs: 40 }, watched);
    const [accepted] = await Promise.all([
      once(echo.server, 'connection'),
      once(socket, 'connect'),
    ]);
    const arrived = once(accepted[0] as Socket, 'data');
    socket.write('hello');
    await pushed.promise;

    clock.advance(59);
    const early = echo.received.length;
    clock.advance(1);
    const [chunk] = await arrived;

    assert.equal(early, 0);
    assert.equal(`${chunk}`, 'hello');
  });

  it('ends its connection when the other side breaks', async (t) => {
    const { echo, socket } = await setUp(t, { roundTripMs: 0 });
    const broken = once(socket, 'error');
    const [accepted] = (await once(echo.server, 'connection')) as [Socket];

    accepted.resetAndDestroy();
    const [error] = await broken;

    assert.equal(error.code, 'ECONNRESET');
  });
});
