import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Answers one request; must not reject. */
export type Answerer = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/** A free port of 127.0.0.1 at which somebody listens, unless told to go away. */
export interface Listener {
  readonly host: string;
  /** `http://127.0.0.1:PORT` */
  readonly origin: string;
  /** Closes the port and all its connections: whoever comes now is refused. */
  goAway(): Promise<void>;
  /** Listens at the same port again. */
  comeBack(): Promise<void>;
  /** Waits until no request is open. */
  settle(): Promise<void>;
  close(): Promise<void>;
}

export async function listen(answer: Answerer): Promise<Listener> {
  const open = new Set<Promise<void>>();
  const server = createServer((request, response) => {
    const done = answer(request, response).finally(() => open.delete(done));
    open.add(done);
  });
  const begin = async (port: number): Promise<void> => {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
  };
  await begin(0);
  const { port } = server.address() as AddressInfo;
  const host = `127.0.0.1:${port}`;
  let isClosed = false;
  const goAway = async (): Promise<void> => {
    if (!server.listening) return;
    const ended = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await ended;
  };
  return {
    ...{ host, origin: `http://${host}`, goAway },
    comeBack: async () => {
      if (!server.listening && !isClosed) await begin(port);
    },
    settle: async () => void (await Promise.all(open)),
    close: async () => {
      isClosed = true;
      await goAway();
      await Promise.all(open);
    },
  };
}
