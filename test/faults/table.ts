import type { FaultRow } from './row.ts';
import { CONTENTS } from './table-contents.ts';
import { LOGINS } from './table-logins.ts';
import { NETWORK } from './table-network.ts';
import { STATUSES } from './table-statuses.ts';
import { UPLOADS } from './table-uploads.ts';

/** Everything that is known to go wrong between two registries, and what a user sees of it. */
export const TABLE: readonly FaultRow[] = [
  ...NETWORK,
  ...STATUSES,
  ...CONTENTS,
  ...UPLOADS,
  ...LOGINS,
];
