import type { Command } from '@oclif/core';
import Copy from './copy/index.ts';
import Scan from './scan/index.ts';

/** Every command by its id; another CLI takes this table and keys it anew. */
export const COMMANDS = {
  copy: Copy,
  scan: Scan,
} satisfies Record<string, Command.Class>;
