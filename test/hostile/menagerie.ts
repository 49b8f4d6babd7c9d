import type { ServerResponse } from 'node:http';
import { OCI_INDEX, OCI_MANIFEST } from '../../src/oci/media-types.ts';
import { give, holding, image, index, madeUp, pour, type Served, served } from './contents.ts';
import type { Behavior } from './stranger.ts';

/** A repository that means no good, and the code of the error that it has to end in. */
export interface Beast {
  readonly behavior: Behavior;
  readonly code: string;
  /** what is copied of it; default: the tag `v1` */
  readonly tag?: '';
}

const MEBIBYTE = 1024 * 1024;
const EMPTY_LAYER = { digest: madeUp(7), size: 2 };

/** The whole menagerie, by the names of the repositories. */
export const BEASTS: Readonly<Record<string, Beast>> = {
  'endless-manifest': {
    code: 'TOO_LARGE',
    behavior: onManifest((response) => {
      response.writeHead(200, { 'content-type': OCI_MANIFEST });
      pour(response, 32 * MEBIBYTE);
    }),
  },
  'claimed-length': {
    code: 'TOO_LARGE',
    behavior: onManifest((response) => {
      response.writeHead(200, { 'content-type': OCI_MANIFEST, 'content-length': 10 ** 15 });
      pour(response, 32 * MEBIBYTE);
    }),
  },
  'a-hundred-deep': { code: 'MANIFEST_INVALID', behavior: holding(...nested(100)) },
  'of-itself': {
    code: 'DIGEST_MISMATCH',
    behavior: onManifest((response) => {
      const { bytes, mediaType } = index([{ ...image(), digest: madeUp(1) }]);
      response.writeHead(200, { 'content-type': mediaType }).end(bytes);
    }),
  },
  'a-hundred-thousand-children': { code: 'TOO_LARGE', behavior: holding(listOf('manifests', 1e5)) },
  'as-many-children-as-fit': {
    code: 'MANIFEST_INVALID',
    behavior: holding(listOf('manifests', 40_000)),
  },
  'a-hundred-thousand-layers': { code: 'TOO_LARGE', behavior: holding(listOf('layers', 1e5)) },
  'nested-lists': {
    code: 'MANIFEST_INVALID',
    behavior: holding(served(`${'['.repeat(1e6)}${']'.repeat(1e6)}`)),
  },
  'nested-maps': {
    code: 'MANIFEST_INVALID',
    behavior: holding(served(`{"layers":${'{"layers":'.repeat(1e5)}1${'}'.repeat(1e5)}}`)),
  },
  'endless-layer': {
    code: 'DIGEST_MISMATCH',
    behavior: withBlob(image({ layers: [EMPTY_LAYER] }), (response) => {
      pour(response, 32 * MEBIBYTE);
    }),
  },
  'short-layer': {
    code: 'NETWORK',
    behavior: withBlob(image({ layers: [{ ...EMPTY_LAYER, size: 1e6 }] }), (response) => {
      response.end('{}');
    }),
  },
  'endless-tags': {
    code: 'TOO_LARGE',
    tag: '',
    behavior: (_, response) => pour(response, 32 * MEBIBYTE),
  },
  'nested-tags': {
    code: 'INVALID_RULE',
    tag: '',
    behavior: (_, response) => {
      response.end(`{"tags":${'['.repeat(1e5)}${']'.repeat(1e5)}}`);
    },
  },
  'endless-error': {
    code: 'NOT_FOUND',
    behavior: onManifest((response) => {
      response.writeHead(404);
      pour(response, 32 * MEBIBYTE);
    }),
  },
  'nested-error': {
    code: 'DENIED',
    behavior: onManifest((response) => {
      response.writeHead(403).end(`{"errors":${'['.repeat(1e4)}${']'.repeat(1e4)}}`);
    }),
  },
  'redirect-to-itself': {
    code: 'REFUSED',
    behavior: ({ url }, response) => {
      response.writeHead(307, { location: url }).end();
    },
  },
  ...wrongSizes([-1, 1.5, 2 ** 53, 1e308, 'NaN', '2', null, [], {}, undefined]),
  'size-of-no-number': {
    code: 'MANIFEST_INVALID',
    behavior: holding(served(`{"layers":[{"digest":"${madeUp(7)}","size":NaN}]}`)),
  },
};

function onManifest(answer: (response: ServerResponse) => void): Behavior {
  return (_, response) => answer(response);
}

function withBlob(manifest: Served, answer: (response: ServerResponse) => void): Behavior {
  return ({ url = '' }, response) => {
    if (url.includes('/blobs/')) answer(response);
    else give(response, manifest);
  };
}

/** An index of an index of an index …, the outermost first. */
function nested(depth: number): readonly Served[] {
  const levels = [image()];
  for (let level = 0; level < depth; level += 1) levels.unshift(index(levels.slice(0, 1)));
  return levels;
}

function listOf(field: 'manifests' | 'layers', count: number): Served {
  const list = Array.from({ length: count }, (_, number) => ({ digest: madeUp(number), size: 1 }));
  return served(
    JSON.stringify({ schemaVersion: 2, [field]: list }),
    field === 'layers' ? OCI_MANIFEST : OCI_INDEX,
  );
}

function wrongSizes(sizes: readonly unknown[]): Readonly<Record<string, Beast>> {
  return Object.fromEntries(
    sizes.map((size, number) => [
      `size-${number}`,
      {
        code: 'MANIFEST_INVALID',
        behavior: holding(image({ layers: [{ ...EMPTY_LAYER, size }] })),
      },
    ]),
  );
}
