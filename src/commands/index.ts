import type { Command } from '@oclif/core';
import AuthCheck from './auth/check.ts';
import AuthDecrypt from './auth/decrypt.ts';
import AuthEncrypt from './auth/encrypt.ts';
import Copy from './copy/index.ts';
import CopyPlan from './copy/plan.ts';
import CopyVerify from './copy/verify.ts';
import Scan from './scan/index.ts';

/** Every command by its id; another CLI takes this table and keys it anew. */
export const COMMANDS = {
  'auth:check': AuthCheck,
  'auth:decrypt': AuthDecrypt,
  'auth:encrypt': AuthEncrypt,
  copy: Copy,
  'copy:plan': CopyPlan,
  'copy:verify': CopyVerify,
  scan: Scan,
} satisfies Record<string, Command.Class>;
