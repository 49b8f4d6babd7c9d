import { setTimeout as sleep } from 'node:timers/promises';
import { openDesk } from '../support/cli.ts';
import { type Distribution, startDistribution } from '../support/distribution.ts';
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.ts';
import { pushImage } from '../support/images.ts';
import { makeLayer } from '../support/images-layer.ts';
import { verifyImage } from '../support/images-verify.ts';
import { type RunningRegistry, startRegistry, type TestRegistry } from '../support/registry.ts';
import type { Fault } from '../support/registry-faults.ts';

/** How a large blob came through. */
export interface Cuts {
  /** how often it was really cut, or its run killed */
  readonly cuts: number;
  /** bytes that left the source, and bytes that came to the destination, as ratios to those of the blob */
  readonly fetched: number;
  readonly sent: number;
  readonly faults: readonly string[];
}

export interface CutOptions {
  readonly bytes: number;
  readonly times: number;
  /** where connections break; `process`: the program is killed */
  readonly at: 'source' | 'destination' | 'process';
  /** distribution, or a registry that tells how much of a broken request it has, as the specification wants */
  readonly to: 'distribution' | 'confirming';
}

const NAME = 'team/large';
const RETRIES = 20;
const BETWEEN_LOOKS_MS = 5;

/** Copies an image with one large layer while something is cut in equal distances. */
export async function cut({ bytes, times, at, to }: CutOptions): Promise<Cuts> {
  const source = await startDistribution();
  const destination = to === 'distribution' ? await startDistribution() : await startRegistry();
  const [from, into] = await Promise.all([startFaultProxy(source), startFaultProxy(destination)]);
  const desk = await openDesk();
  try {
    const layers = [makeLayer('large', bytes)];
    const { digest } = await pushImage(source, { repository: NAME, tag: 'v1', layers });
    const insecure = { insecure: true };
    await desk.write('auth.json', JSON.stringify({ [from.host]: insecure, [into.host]: insecure }));
    const rule = { [`${from.host}/${NAME}:v1`]: `${into.host}/mirror/${NAME}:v1` };
    await desk.write('images.json', JSON.stringify(rule));
    breakAt(at, from, into, Math.floor(bytes / (times + 1)), times);
    const killed = at === 'process' ? await kill(desk, destination, bytes, times) : 0;
    const last = await desk.run(['copy', '--no-progress', '-r', `${RETRIES}`]);
    await Promise.all([from.settle(), into.settle()]);
    const failure = last.code === 0 ? [] : [`${last.stdout}${last.stderr}`];
    return {
      cuts: killed + from.faults.applied() + into.faults.applied(),
      fetched: from.bytes().out / bytes,
      sent: into.bytes().in / bytes,
      faults: [...failure, ...(await verifyImage(destination, `mirror/${NAME}`, 'v1', digest))],
    };
  } finally {
    await desk.close();
    await Promise.all([from.close(), into.close()]);
    await Promise.all([source.close(), destination.close()]);
  }
}

function breakAt(
  at: CutOptions['at'],
  from: FaultProxy,
  into: FaultProxy,
  every: number,
  times: number,
): void {
  const isLarge: Fault['where'] = ({ headers }) => Number(headers['content-length'] ?? 0) > every;
  const upload = { class: 'upload', where: isLarge, dropUploadAfter: every } as const;
  if (at === 'source') from.faults.add({ method: 'GET', class: 'blob', dropAfter: every, times });
  if (at === 'destination') into.faults.add({ ...upload, times });
}

/** Kills the program each time that another part has arrived. */
async function kill(
  desk: Awaited<ReturnType<typeof openDesk>>,
  destination: Distribution | TestRegistry,
  bytes: number,
  times: number,
): Promise<number> {
  for (let killed = 0; killed < times; killed += 1) {
    const goal = (bytes / (times + 1)) * (killed + 1);
    const running = desk.start(['copy', '--no-progress', '--max-bandwidth', '400MB/s']);
    let ended = false;
    running.ended.finally(() => {
      ended = true;
    });
    while (!ended && arrived(destination) < goal) await sleep(BETWEEN_LOOKS_MS);
    running.child.kill('SIGKILL');
    if ((await running.ended).code !== null) return killed;
  }
  return times;
}

function arrived(destination: RunningRegistry): number {
  if (!('store' in destination)) return 0;
  const { uploads } = (destination as TestRegistry).store;
  return Math.max(0, ...[...uploads.values()].map(({ size }) => size));
}
