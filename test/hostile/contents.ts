import type { ServerResponse } from 'node:http';
import { type Digest, digestOf } from '../../src/oci/digest.ts';
import { OCI_INDEX, OCI_MANIFEST } from '../../src/oci/media-types.ts';
import type { Behavior } from './stranger.ts';

/** A manifest as a server gives it, right or wrong. */
export interface Served {
  readonly bytes: Buffer;
  readonly digest: Digest;
  readonly mediaType: string;
}

/** The digest of nothing that anybody has, different for each number. */
export function madeUp(number: number): Digest {
  return `sha256:${number.toString(16).padStart(64, '0')}`;
}

export function served(text: string, mediaType: string = OCI_MANIFEST): Served {
  const bytes = Buffer.from(text);
  return { bytes, digest: digestOf(bytes), mediaType };
}

/** A manifest of an image without layers, and with what a test adds to it. */
export function image(fields: object = {}): Served {
  return served(
    JSON.stringify({ schemaVersion: 2, mediaType: OCI_MANIFEST, layers: [], ...fields }),
  );
}

export function index(children: readonly Served[]): Served {
  const manifests = children.map(({ digest, bytes, mediaType }) => ({
    ...{ mediaType, digest, size: bytes.length },
  }));
  return served(JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests }), OCI_INDEX);
}

/** Answers with a manifest. */
export function give(response: ServerResponse, { bytes, digest, mediaType }: Served): void {
  response.writeHead(200, {
    'content-type': mediaType,
    'content-length': bytes.length,
    'docker-content-digest': digest,
  });
  response.end(bytes);
}

/** A registry that has these manifests, the first of them under every tag, and nothing else. */
export function holding(...manifests: readonly Served[]): Behavior {
  const byDigest = new Map(manifests.map((manifest) => [manifest.digest as string, manifest]));
  return ({ url = '' }, response) => {
    const [, version] = /\/manifests\/([^/?]+)$/.exec(url) ?? [];
    const found = version?.includes(':') ? byDigest.get(version) : version && manifests[0];
    if (found) give(response, found);
    else response.writeHead(url === '/v2/' ? 200 : 404).end();
  };
}

const CHUNK = Buffer.alloc(64 * 1024, 'x');

/**
 * Sends what has no end, as fast as it is taken, but no more than `limit` bytes: a client that reads on that
 * far has no bound of its own.
 *
 * @param onSent - told how many bytes were handed to the connection so far
 */
export function pour(
  response: ServerResponse,
  limit: number,
  onSent: (bytes: number) => void = () => undefined,
  chunk: Uint8Array = CHUNK,
): void {
  let sent = 0;
  const more = () => {
    while (!response.destroyed && sent < limit) {
      sent += chunk.length;
      onSent(sent);
      if (!response.write(chunk)) return;
    }
    if (sent >= limit) response.end();
  };
  response.on('drain', more);
  more();
}
