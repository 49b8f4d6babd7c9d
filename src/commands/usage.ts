import { stripVTControlCharacters } from 'node:util';
import { Errors } from '@oclif/core';
import { UsageError } from './errors.ts';

/**
 * What oclif says of a command line that it cannot read, in one line.
 *
 * @param hint - what to do instead
 * @returns undefined for every other error
 */
export function usageErrorOf(error: unknown, hint: string): UsageError | undefined {
  if (!(error instanceof Errors.CLIError)) return undefined;
  const message = stripVTControlCharacters(error.message)
    .replace(/\nSee more help with --help$/, '')
    .replace(/^The following errors? occurred:\s*/, '')
    .replace(/^Parsing (--\S+)\s+Expected/, '$1: expected')
    .replace(/\s*\n\s*/g, '; ');
  return new UsageError(message, hint);
}
