import type { Reference } from '../oci/reference.ts';

/** One image to one place. The source has a tag, a digest or both; so has the destination. */
export interface Task {
  readonly source: Reference;
  readonly destination: Reference;
}
