import { once } from 'node:events';
import { createServer, request } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import type { TestContext } from 'node:test';

/** A proxy on loopback that forwards plain requests and opens tunnels. */
export interface Proxy {
  readonly url: string;
  /** `CONNECT host:port` or `METHOD address`, and the login that came along */
  readonly seen: readonly { readonly request: string; readonly login: string | undefined }[];
}

/** Starts a proxy that ends with the test. */
export async function startProxy(
  context: TestContext,
  { refuse }: { readonly refuse?: number } = {},
): Promise<Proxy> {
  const seen: { request: string; login: string | undefined }[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((incoming, outgoing) => {
    const { method = 'GET', url = '', headers } = incoming;
    seen.push({ request: `${method} ${url}`, login: headers['proxy-authorization'] });
    const onward = request(url, { method, headers, agent: false }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    onward.on('error', () => outgoing.destroy());
    incoming.pipe(onward);
  });
  server.on('connect', ({ url = '', headers }, client: Socket) => {
    seen.push({ request: `CONNECT ${url}`, login: headers['proxy-authorization'] });
    if (refuse) {
      client.end(`HTTP/1.1 ${refuse} No\r\n\r\n`);
      return;
    }
    const [host = '', port = ''] = url.split(':');
    const target = connect(Number(port), host, () => {
      client.write('HTTP/1.1 200 OK\r\n\r\n');
      target.pipe(client).pipe(target);
    });
    for (const socket of [client, target]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  context.after(async () => {
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    for (const socket of sockets) socket.destroy();
    await closed;
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen };
}
