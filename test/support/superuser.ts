import type { Requirement } from './requirement.ts';

/** Who may give a file to another user. */
export const SUPERUSER: Requirement = {
  name: 'the superuser',
  found: process.geteuid?.() === 0,
  remedy: 'run the tests as root, in a container say',
};
