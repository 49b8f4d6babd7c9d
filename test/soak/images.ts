import { pushImage, pushIndex } from '../support/images.ts';
import { type Layer, makeLayer } from '../support/images-layer.ts';
import type { RunningRegistry } from '../support/registry.ts';
import type { Dice } from './dice.ts';

/** A tag at the source and what it has named, the latest last. */
export interface Published {
  readonly repository: string;
  readonly tag: string;
  readonly digests: string[];
}

const REPOSITORIES = ['base/os', 'team/app', 'team/web', 'tools/cli'];
const TAGS = ['1', '2', 'latest'];
const LAYERS = 12;
const LAYER_BYTES = [1, 700, 5_000, 30_000, 200_000, 1_100_000];

/** Publishes an image, or an index over some, of layers that many share. An earlier image may lose its tag to it. */
export async function publish(
  source: RunningRegistry,
  published: Map<string, Published>,
  dice: Dice,
): Promise<void> {
  const repository = dice.pick(REPOSITORIES);
  const tag = dice.pick(TAGS);
  const image = (label: string, named?: string) =>
    pushImage(source, {
      ...{ repository, tag: named, layers: someLayers(dice), docker: dice.once(3) },
      // A manifest of its own each time.
      fields: { annotations: { label: `${label} ${dice.next()}` } },
    });
  const pushed = dice.once(3)
    ? await pushIndex(source, {
        ...{ repository, tag },
        entries: [{ image: await image('one') }, { image: await image('two') }],
      })
    : await image('only', tag);
  const key = `${repository}:${tag}`;
  const known = published.get(key) ?? { repository, tag, digests: [] };
  known.digests.push(pushed.digest);
  published.set(key, known);
}

function someLayers(dice: Dice): readonly Layer[] {
  return Array.from({ length: 1 + dice.below(4) }, () => {
    const number = dice.below(LAYERS);
    return makeLayer(`layer ${number}`, LAYER_BYTES[number % LAYER_BYTES.length]);
  });
}
