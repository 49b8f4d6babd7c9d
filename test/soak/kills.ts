import { setTimeout as sleep } from 'node:timers/promises';
import { startRelay } from '../bench/relay.ts';
import { openDesk } from '../support/cli.ts';
import { startDistribution } from '../support/distribution.ts';
import { startFaultProxy } from '../support/fault-proxy.ts';
import { pushImage, pushIndex } from '../support/images.ts';
import { makeLayer } from '../support/images-layer.ts';
import { fetchManifest, verifyImage } from '../support/images-verify.ts';
import type { RunningRegistry } from '../support/registry.ts';
import { type Dice, diceOf } from './dice.ts';

export interface Kills {
  /** runs that were killed */
  readonly killed: number;
  /** tags that were looked at after them, all in all */
  readonly looked: number;
  /** bytes of the unique blobs, and of all that was sent to the destination */
  readonly uniqueBytes: number;
  readonly sentBytes: number;
  /** what was wrong, one line each */
  readonly violations: readonly string[];
}

interface Pushed {
  readonly name: string;
  readonly digest: string;
}

const MEBIBYTE = 1024 * 1024;
const LINK = { roundTripMs: 20, bitsPerSecond: 60e6 };
// The link holds megabytes that a dead program has sent; this keeps it from being ahead of the link.
const LIMIT = '60Mbit/s';
const REPOSITORIES = 6;
// The program is up after a quarter of a second, and everything would have arrived after some.
const EARLIEST_MS = 250;
const SPAN_MS = 2_000;

/**
 * Copies over a slow link between two real registries, and kills the program at random moments. After each time all
 * that tags name at the destination is hashed; a last run is left alone and has to bring everything.
 *
 * @param images - how many there are
 */
export async function kill(times: number, images: number, seed: number): Promise<Kills> {
  const dice = diceOf(seed);
  const [source, destination, desk] = await Promise.all([
    startDistribution(),
    startDistribution(),
    openDesk(),
  ]);
  const counter = await startFaultProxy(destination);
  const link = await startRelay(counter.host, LINK);
  const violations: string[] = [];
  let looked = 0;
  let killed = 0;
  try {
    const { pushed, uniqueBytes } = await fill(source, images, dice);
    const rules = pushed.map(({ name }) => [
      `${source.host}/${name}`,
      `${link.host}/mirror/${name}`,
    ]);
    await desk.write('images.json', JSON.stringify(Object.fromEntries(rules)));
    const insecure = { insecure: true };
    await desk.write(
      'auth.json',
      JSON.stringify({ [source.host]: insecure, [link.host]: insecure }),
    );
    const look = async () => {
      for (const { name, digest } of pushed) {
        const [repository = '', tag = ''] = name.split(':');
        if (!(await fetchManifest(destination, `mirror/${repository}`, tag))) continue;
        looked += 1;
        violations.push(...(await verifyImage(destination, `mirror/${repository}`, tag, digest)));
      }
    };
    while (killed < times) {
      const running = desk.start(['copy', '--no-progress', '--max-bandwidth', LIMIT]);
      await Promise.race([sleep(EARLIEST_MS + dice.next() * SPAN_MS), running.ended]);
      running.child.kill('SIGKILL');
      const { code } = await running.ended;
      await look();
      // It was done before it could be killed.
      if (code !== null) break;
      killed += 1;
    }
    const last = await desk.run(['copy', '--no-progress']);
    if (last.code !== 0) violations.push(`the last run: ${last.stdout}${last.stderr}`);
    const before = looked;
    await look();
    if (looked - before !== pushed.length) violations.push('the last run did not bring everything');
    return { killed, looked, uniqueBytes, sentBytes: counter.bytes().in, violations };
  } finally {
    await Promise.all([desk.close(), link.close()]);
    await counter.close();
    await Promise.all([source.close(), destination.close()]);
  }
}

async function fill(
  source: RunningRegistry,
  count: number,
  dice: Dice,
): Promise<{ readonly pushed: readonly Pushed[]; readonly uniqueBytes: number }> {
  const sizes = new Map<string, number>();
  const layer = (name: string, size: number) => {
    const made = makeLayer(name, size);
    sizes.set(made.digest, made.size);
    return made;
  };
  const bases = [0, 1, 2].map((base) => layer(`base ${base}`, 3 * MEBIBYTE));
  const pushed: Pushed[] = [];
  for (let number = 0; number < count; number += 1) {
    const repository = `team/app-${number % REPOSITORIES}`;
    const tag = `v${number}`;
    const layers = [
      dice.pick(bases),
      layer(`own ${number}`, Math.round(MEBIBYTE * (0.2 + 4 * dice.next()))),
      layer(`small ${number}`, 20_000),
    ];
    const image = await pushImage(source, { repository, tag, layers });
    for (const { digest, size } of image.blobs) sizes.set(digest, size);
    const isIndex = number % 4 === 0;
    const root = isIndex
      ? await pushIndex(source, { repository, tag, entries: [{ image }] })
      : image;
    pushed.push({ name: `${repository}:${tag}`, digest: root.digest });
  }
  return { pushed, uniqueBytes: [...sizes.values()].reduce((sum, size) => sum + size, 0) };
}
