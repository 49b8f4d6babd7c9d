import { COMMANDS as BARE } from 'kubectl-migrate-images/commands';

/** The commands of kubectl migrate-images, one topic deeper: `othercli migrate-images copy`. */
export const COMMANDS = Object.fromEntries(
  Object.entries(BARE).map(([id, command]) => [`migrate-images:${id}`, command]),
);
