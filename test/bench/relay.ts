import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { openFlow } from './relay-flow.ts';
import { type Clock, type Line, openLine, SYSTEM_CLOCK } from './relay-line.ts';

/** What a link is to be like; the same in both directions. */
export interface LinkOptions {
  /** milliseconds there and back */
  readonly roundTripMs: number;
  /** bits in a second each way; undefined: no limit */
  readonly bitsPerSecond?: number | undefined;
}

export interface Relay {
  /** host and port */
  readonly host: string;
  close(): Promise<void>;
}

/**
 * Stands in for a long line to `target`: bytes are delayed by half a round trip each way and leave at the line's rate,
 * and a new connection carries nothing during its first round trip. It is no model of congestion: there is no slow
 * start and no loss.
 */
export async function startRelay(
  target: string,
  options: LinkOptions,
  clock: Clock = SYSTEM_CLOCK,
): Promise<Relay> {
  const { hostname, port } = new URL(`http://${target}`);
  const rate = options.bitsPerSecond === undefined ? undefined : options.bitsPerSecond / 8_000;
  const link = {
    ...{ clock, roundTripMs: options.roundTripMs },
    up: openLine(rate, clock),
    down: openLine(rate, clock),
  };
  const open = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (near) => {
    const far = connect({ host: hostname, port: Number(port), allowHalfOpen: true, noDelay: true });
    for (const socket of [near, far]) {
      open.add(socket);
      socket.on('close', () => open.delete(socket));
    }
    join(near, far, link);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      server.close();
      for (const socket of open) socket.destroy();
      await once(server, 'close');
    },
  };
}

interface Link {
  readonly clock: Clock;
  readonly roundTripMs: number;
  readonly up: Line;
  readonly down: Line;
}

function join(near: Socket, far: Socket, link: Link): void {
  const readyAt = link.clock.now() + link.roundTripMs;
  pour(near, far, link, { line: link.up, readyAt });
  pour(far, near, link, { line: link.down, readyAt });
  for (const [socket, other] of [
    [near, far],
    [far, near],
  ] as const)
    socket.on('error', () => other.resetAndDestroy());
}

function pour(
  from: Socket,
  to: Socket,
  { clock, roundTripMs }: Link,
  course: { readonly line: Line; readonly readyAt: number },
): void {
  const flow = openFlow({
    ...course,
    ...{ clock, delay: roundTripMs / 2 },
    sink: {
      write: (chunk, written) => void to.write(chunk, written),
      end: () => void to.end(),
    },
    hold: (isHeld) => void (isHeld ? from.pause() : from.resume()),
  });
  from.on('data', flow.push);
  from.on('end', flow.end);
}
