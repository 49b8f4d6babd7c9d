import { AMD64, ARM64, pushImage, pushIndex } from '../support/images.ts';
import { pushTags } from '../support/images-kinds.ts';
import { type Layer, makeLayer } from '../support/images-layer.ts';
import type { PushedImage } from '../support/images-push.ts';
import type { RunningRegistry } from '../support/registry.ts';
import { send } from '../support/registry-client.ts';
import { basicAuthorization } from '../support/registry-users.ts';

const KIB = 1024;

/** The layer that both images have. */
export const SHARED = makeLayer('shared by all', 400 * KIB);

/** A layer that only one of the images has. */
export const OWN = makeLayer('of one alone', 300 * KIB);

/** Larger than what connections hold on their own: whoever sends it notices that nobody reads. */
export const LARGE = makeLayer('large', 12 * 1024 * KIB);

export function middleOf({ size }: Layer): number {
  return Math.floor(size / 2);
}

/** What the sources hold, by the name that each set has in rows. */
export interface SourceImages {
  /** an image and an index, in repositories of their own */
  readonly two: readonly PushedImage[];
  /** all tags of one repository */
  readonly many: readonly PushedImage[];
  readonly large: readonly PushedImage[];
}

export async function pushSourceImages(
  sources: Readonly<Record<keyof SourceImages, RunningRegistry>>,
): Promise<SourceImages> {
  const app = await pushLayers(sources.two, 'team/app', [SHARED, OWN]);
  return {
    two: [
      await pushImage(sources.two, { repository: 'team/app', tag: 'v1', layers: app }),
      await pushTools(sources.two),
    ],
    many: await pushTags(sources.many, 'team/many', 4),
    large: [
      await pushImage(sources.large, {
        ...{ repository: 'team/large', tag: 'v1' },
        layers: await pushLayers(sources.large, 'team/large', [LARGE]),
      }),
    ],
  };
}

async function pushTools(source: RunningRegistry): Promise<PushedImage> {
  const repository = 'team/tools';
  const [shared, first, second] = await pushLayers(source, repository, [
    ...[SHARED, makeLayer('tools for amd64', 200 * KIB), makeLayer('tools for arm64', 200 * KIB)],
  ]);
  const child = (platform: typeof AMD64, ...layers: readonly (Layer | undefined)[]) =>
    pushImage(source, {
      repository,
      platform,
      layers: layers.filter((layer) => layer !== undefined),
    });
  const entries = [
    { image: await child(AMD64, shared, first), platform: AMD64 },
    { image: await child(ARM64, shared, second), platform: ARM64 },
  ];
  return pushIndex(source, { repository, tag: 'v1', entries });
}

/**
 * Puts layers where an image will need them, with a token from the beginning: a registry that has to refuse so
 * many bytes first may close the connection before its answer was read.
 */
async function pushLayers(
  source: RunningRegistry,
  repository: string,
  layers: readonly Layer[],
): Promise<readonly Layer[]> {
  const headers = { authorization: await tokenFor(source, repository) };
  for (const { digest, bytes } of layers) {
    const path = `/v2/${repository}/blobs/uploads/`;
    const opened = await send(source, { method: 'POST', path, headers });
    const address = `${opened.headers.location}&digest=${digest}`;
    const closed = await send(source, { method: 'PUT', path: address, headers, body: bytes });
    if (closed.status !== 201) throw new Error(`a layer was answered ${closed.status}`);
  }
  return layers;
}

async function tokenFor({ login, tokens }: RunningRegistry, repository: string): Promise<string> {
  if (!login || !tokens) return '';
  const scope = `repository:${repository}:pull,push`;
  const query = new URLSearchParams({ service: tokens.service, scope });
  const headers = { authorization: basicAuthorization(login) };
  const { body } = await send(tokens.realm, { path: `${tokens.realm}?${query}`, headers });
  return `Bearer ${JSON.parse(`${body}`).token}`;
}
