import { startDistribution } from '../support/distribution.ts';
import { type RunningRegistry, startRegistry } from '../support/registry.ts';
import { pushSourceImages, type SourceImages } from './images.ts';
import type { FaultRow } from './row.ts';

/** The registries that all rows are tried between; each trial has repositories of its own at the destination. */
export interface Stage {
  /** by what they hold */
  readonly sources: Readonly<Record<keyof SourceImages, RunningRegistry>>;
  readonly destinations: Readonly<Record<NonNullable<FaultRow['destination']>, RunningRegistry>>;
  readonly images: SourceImages;
  close(): Promise<void>;
}

/** All of them want tokens, so that a login which reaches a foreign origin is seen in every trial. */
export async function openStage(): Promise<Stage> {
  const auth = 'token';
  const [source, distribution, short, paging, resumable] = await Promise.all([
    startDistribution({ auth }),
    startDistribution({ auth }),
    // The token says that it is good for longer than it is.
    startDistribution({ auth, tokens: { lifetimeSeconds: 4, statedLifetimeSeconds: 300 } }),
    // distribution 2.8 gives tags in one page only.
    startRegistry({ auth }),
    startRegistry({ auth }),
  ]);
  const sources = { two: source, large: source, many: paging };
  return {
    sources,
    destinations: { distribution, 'short tokens': short, resumable },
    images: await pushSourceImages(sources),
    close: async () => {
      const all = [source, distribution, short, paging, resumable];
      await Promise.all(all.map((registry) => registry.close()));
    },
  };
}
