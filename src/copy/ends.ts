import type { RepositoryName } from '../oci/reference.ts';
import type { Destination, Source } from '../oci/store.ts';

/** The two ends of the copies, by repository. */
export interface Ends {
  source(name: RepositoryName): Promise<Source>;
  destination(name: RepositoryName): Promise<Destination>;
}
