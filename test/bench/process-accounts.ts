import { readdirSync, readFileSync } from 'node:fs';

// What Linux tells of processes under /proc. A process that is gone reads as nothing used.

/** Ticks of a second in which /proc counts: the same on every Linux that Node runs on. */
const TICKS = 100;
const PAGE_BYTES = 4096;

/** The fields of a line of /proc/PID/stat behind the name, which may itself hold blanks and brackets. */
function fieldsOf(stat: string): readonly number[] {
  return stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
}

/** Milliseconds of CPU that a process used itself, from its /proc/PID/stat. */
export function ownCpuMs(stat: string): number {
  const fields = fieldsOf(stat);
  return (((fields[11] ?? 0) + (fields[12] ?? 0)) * 1000) / TICKS;
}

/** Milliseconds of CPU of all children that a process has waited for, and of theirs. */
export function childrenCpuMs(stat: string): number {
  const fields = fieldsOf(stat);
  return (((fields[13] ?? 0) + (fields[14] ?? 0)) * 1000) / TICKS;
}

/** Milliseconds in which any processor was busy, from /proc/stat. */
export function busyMs(stat: string): number {
  const [, ...numbers] = (stat.split('\n')[0] ?? '').trim().split(/\s+/);
  // user, nice, system, idle, iowait, irq, softirq, steal; guests are in user already
  const [user = 0, nice = 0, system = 0, , , irq = 0, soft = 0, steal = 0] = numbers.map(Number);
  return ((user + nice + system + irq + soft + steal) * 1000) / TICKS;
}

export function cpuOf(pid: number): number {
  return ownCpuMs(read(`/proc/${pid}/stat`));
}

export function childrenCpu(): number {
  return childrenCpuMs(read('/proc/self/stat'));
}

export function machineBusy(): number {
  return busyMs(read('/proc/stat'));
}

/** Bytes that a process has read and written in all, sockets included. */
export function transferOf(pid: number): { readonly read: number; readonly written: number } {
  const io = read(`/proc/${pid}/io`);
  const field = (name: string) => Number(new RegExp(`^${name}: (\\d+)`, 'm').exec(io)?.[1] ?? 0);
  return { read: field('rchar'), written: field('wchar') };
}

/** A process and all that it has started, directly or not. */
export function treeOf(root: number): readonly number[] {
  const found = [root];
  for (const pid of found) for (const child of childrenOf(pid)) found.push(child);
  return found;
}

function childrenOf(pid: number): readonly number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).flatMap((task) =>
      read(`/proc/${pid}/task/${task}/children`).trim().split(' ').filter(Boolean).map(Number),
    );
  } catch {
    return [];
  }
}

/** Bytes in memory now. */
export function residentOf(pid: number): number {
  return Number(read(`/proc/${pid}/statm`).split(' ')[1] ?? 0) * PAGE_BYTES;
}

/** The most bytes in memory that a process ever had. */
export function peakOf(pid: number): number {
  const line = /^VmHWM:\s+(\d+) kB/m.exec(read(`/proc/${pid}/status`));
  return Number(line?.[1] ?? 0) * 1024;
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
