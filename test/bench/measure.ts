import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { basename, isAbsolute } from 'node:path';
import type { End } from './end.ts';
import {
  childrenCpu,
  cpuOf,
  machineBusy,
  peakOf,
  residentOf,
  transferOf,
  treeOf,
} from './process-accounts.ts';
import type { Measured } from './record.ts';
import type { Command } from './tools.ts';

export interface MeasureOptions {
  readonly command: Command;
  readonly source: End;
  readonly destination: End;
  /** when a run is ended from outside */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

const SAMPLE_MS = 25;
const LAST_OUTPUT = 2_000;

/** Runs a tool from its start to its end, and counts what it, the registries and the link used meanwhile. */
export async function measure(options: MeasureOptions): Promise<Measured> {
  const { command, source, destination } = options;
  const transferBefore = await transfers(options);
  const before = accounts(options);
  const memory = { tree: 0, largest: 0 };
  const begun = performance.now();
  const ended = await runTool(options, (pid) => {
    const tree = treeOf(pid);
    const total = tree.reduce((sum, each) => sum + residentOf(each), 0);
    memory.largest = Math.max(memory.largest, ...tree.map(peakOf));
    // A peak between two samples is known of each process, but not of all of them at a time.
    memory.tree = Math.max(memory.tree, memory.largest, total);
  });
  const wallMs = performance.now() - begun;
  const after = accounts(options);
  const transferAfter = await transfers(options);
  const [from, to] = await Promise.all([
    source.registry.trafficSince(transferBefore.sourceLog),
    destination.registry.trafficSince(transferBefore.destinationLog),
  ]);
  const cpu = {
    tool: after.tool - before.tool,
    source: after.source - before.source,
    destination: after.destination - before.destination,
    link: after.link - before.link,
  };
  const ours = after.bench - before.bench;
  const known = cpu.tool + cpu.source + cpu.destination + cpu.link + ours;
  return {
    // Where this machine keeps its programs says nothing to anyone else.
    command: command.words.map((word) => (isAbsolute(word) ? basename(word) : word)).join(' '),
    exit: ended.code,
    output: ended.code === 0 ? '' : ended.output,
    wallMs: Math.round(wallMs),
    cpuMs: { ...round(cpu), other: Math.max(0, Math.round(after.busy - before.busy - known)) },
    peakBytes: memory,
    bytesSent: transferAfter.sent - transferBefore.sent,
    bytesReceived: transferAfter.received - transferBefore.received,
    source: from,
    destination: to,
  };
}

function accounts({ source, destination }: MeasureOptions) {
  const links = [source.linkPid, destination.linkPid].filter((pid) => pid !== undefined);
  return {
    tool: childrenCpu(),
    source: cpuOf(source.registry.pid),
    destination: cpuOf(destination.registry.pid),
    link: links.reduce((sum, pid) => sum + cpuOf(pid), 0),
    bench: cpuOf(process.pid),
    busy: machineBusy(),
  };
}

/**
 * What went over the sockets up to now: a registry writes what it sends, and its log; it reads what it receives, and
 * a little of its own files.
 */
async function transfers({ source, destination }: MeasureOptions) {
  const [sourceLog, destinationLog] = await Promise.all([
    source.registry.mark(),
    destination.registry.mark(),
  ]);
  return {
    ...{ sourceLog, destinationLog },
    sent: transferOf(source.registry.pid).written - sourceLog,
    received: transferOf(destination.registry.pid).read,
  };
}

/** In a process group of its own, so that all of it ends when the time is up or the user wants to. */
async function runTool(
  { command, timeoutMs, signal }: MeasureOptions,
  sample: (pid: number) => void,
): Promise<{ readonly code: number | null; readonly output: string }> {
  const [program = '', ...parameters] = command.words;
  const child = spawn(program, parameters, {
    cwd: command.folder,
    env: { ...process.env, ...command.environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (text: Buffer) => {
      output = `${output}${text}`.slice(-LAST_OUTPUT);
    });
  const kill = () => {
    try {
      if (child.pid) process.kill(-child.pid, 'SIGKILL');
    } catch {
      // It is gone already.
    }
  };
  const timer = setTimeout(kill, timeoutMs);
  const sampler = setInterval(() => child.pid && sample(child.pid), SAMPLE_MS);
  signal.addEventListener('abort', kill);
  try {
    const [code] = (await once(child, 'close')) as [number | null];
    return { code, output };
  } finally {
    clearTimeout(timer);
    clearInterval(sampler);
    signal.removeEventListener('abort', kill);
  }
}

function round<Key extends string>(values: Record<Key, number>): Record<Key, number> {
  const entries = Object.entries<number>(values).map(([key, value]) => [key, Math.round(value)]);
  return Object.fromEntries(entries) as Record<Key, number>;
}
