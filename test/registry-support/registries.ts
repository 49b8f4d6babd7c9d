import {
  DISTRIBUTION,
  type DistributionOptions,
  startDistribution,
} from '../support/distribution.ts';
import { type RunningRegistry, startRegistry } from '../support/registry.ts';
import { skipUnless } from '../support/requirement.ts';

/** The two registries that have to answer alike. */
export const REGISTRIES: readonly {
  readonly name: string;
  readonly skip: string | false;
  start(options?: DistributionOptions): Promise<RunningRegistry>;
}[] = [
  {
    name: 'the in-process registry',
    skip: false,
    start: (options) => startRegistry({ ...options, resumable: false }),
  },
  { name: 'distribution', skip: skipUnless(DISTRIBUTION), start: startDistribution },
];
