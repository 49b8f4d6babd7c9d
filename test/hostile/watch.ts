import type { ChildProcess } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import type { Requirement } from '../support/requirement.ts';

/** Linux tells of processes in files. */
export const PROC: Requirement = {
  name: '/proc',
  found: process.platform === 'linux',
  remedy: 'run the tests on Linux',
};

const BETWEEN_LOOKS_MS = 25;

/** Looks at a process again and again while it runs; gives the most memory that it ever held, in bytes. */
export function watchMemory(child: ChildProcess): { peak(): number } {
  let peak = 0;
  const look = () => {
    const status = readOf(child.pid ?? 0, 'status');
    const [, kilobytes = 0] = /^VmHWM:\s+(\d+) kB$/m.exec(status) ?? [];
    peak = Math.max(peak, Number(kilobytes) * 1024);
  };
  const timer = setInterval(look, BETWEEN_LOOKS_MS);
  child.once('exit', () => clearInterval(timer));
  return { peak: () => peak };
}

/** What stands in the argument lists of a process and of all that it has started, at this moment. */
export function argumentsOf(pid: number): readonly string[] {
  const numbers = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  const parents = new Map(numbers.map((number) => [Number(number), parentOf(Number(number))]));
  const isBelow = (number: number | undefined): boolean =>
    number !== undefined && number > 1 && (number === pid || isBelow(parents.get(number)));
  return [...parents.keys()].filter(isBelow).map((number) => readOf(number, 'cmdline'));
}

function parentOf(pid: number): number | undefined {
  // The name stands in brackets, and may hold any.
  const [, parent] = /\) \S (\d+) [^)]*$/.exec(readOf(pid, 'stat')) ?? [];
  return parent === undefined ? undefined : Number(parent);
}

/** A process may end at any moment. */
function readOf(pid: number, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'utf8');
  } catch {
    return '';
  }
}
