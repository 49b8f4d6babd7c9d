import { randomUUID } from 'node:crypto';
import { type Answer, answer, answerError } from './registry-answer.ts';
import { serveBytes } from './registry-blobs.ts';
import type { FaultTable } from './registry-faults.ts';
import type { RequestLog } from './registry-log.ts';
import { type Exchange, type Server, type ServerOptions, serve } from './registry-server.ts';

/** Another origin that serves blobs by signed addresses, as object stores do. */
export interface Elsewhere {
  /** An address for this blob; its query is a secret. */
  addressOf(digest: string, bytes: Uint8Array): string;
  /** how many requests brought an Authorization header along */
  leakedAuthorization(): number;
  readonly server: Server;
}

export async function startElsewhere(options: {
  readonly log: RequestLog;
  readonly faults: FaultTable;
  readonly tls: ServerOptions['tls'];
}): Promise<Elsewhere> {
  const blobs = new Map<string, { readonly digest: string; readonly bytes: Uint8Array }>();
  let leaked = 0;
  const handler = (exchange: Exchange): Answer => {
    if (exchange.headers.authorization !== undefined) {
      leaked += 1;
      // S3 refuses a request that is authorized twice.
      return answer(400, { 'content-type': 'application/xml' }, Buffer.from(TWICE));
    }
    const blob = blobs.get(exchange.query.get('signature') ?? '');
    if (!blob) return answerError(403, 'DENIED');
    const { 'docker-content-digest': _, ...headers } = serveBytes(
      exchange,
      blob.bytes,
      blob.digest,
    ).headers;
    return { ...serveBytes(exchange, blob.bytes, blob.digest), headers };
  };
  const server = await serve({ ...options, handler });
  return {
    server,
    leakedAuthorization: () => leaked,
    addressOf: (digest, bytes) => {
      const signature = randomUUID();
      blobs.set(signature, { digest, bytes });
      return `${server.url}/elsewhere/${digest}?signature=${signature}`;
    },
  };
}

const TWICE = '<Error><Code>InvalidArgument</Code></Error>';
