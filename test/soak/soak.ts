import { parseArgs } from 'node:util';
import { cut } from './cuts.ts';
import { kill } from './kills.ts';
import { type Figures, liveOnce } from './world.ts';

const USAGE = `usage: npm run soak -- [--minutes N] [--seed N] [--kills N | --cuts N]

Copies random images through random faults until the time is over, and looks after every request whether a tag names
anything missing or wrong. With --kills it copies between real registries instead, and kills the program so often.

  --minutes N  how long (default 10)
  --seed N     where the random numbers begin (default: now); a failure names the seed that shows it again
  --kills N    kill N runs
  --cuts N     cut the transfer of one large layer N times, on either side, and kill its run five times
  --bytes N    length of that layer (default: one gibibyte)`;

const RUNS_OF_A_WORLD = 8;
const IMAGES_PER_KILL = 4;

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    seed: { type: 'string', default: `${Date.now() % 1_000_000}` },
    kills: { type: 'string' },
    cuts: { type: 'string' },
    bytes: { type: 'string', default: `${2 ** 30}` },
    help: { type: 'boolean', short: 'h' },
  },
});

if (values.help) console.log(USAGE);
else if (values.cuts) await cutRuns(Number(values.cuts), Number(values.bytes));
else if (values.kills) await killRuns(Number(values.kills), Number(values.seed));
else await soak(Number(values.minutes), Number(values.seed));

async function soak(minutes: number, first: number): Promise<void> {
  const end = performance.now() + minutes * 60_000;
  const sums = new Map<string, number>();
  let told = performance.now();
  for (let seed = first; performance.now() < end; seed += 1) {
    add(sums, await liveOnce(seed, RUNS_OF_A_WORLD));
    if (performance.now() - told < 60_000) continue;
    told = performance.now();
    console.log(`${new Date().toISOString()} ${line(sums)}`);
  }
  console.log(`no tag ever named anything missing or wrong: ${line(sums)}`);
}

function add(sums: Map<string, number>, figures: Figures): void {
  sums.set('worlds', (sums.get('worlds') ?? 0) + 1);
  for (const [name, count] of Object.entries(figures))
    sums.set(name, (sums.get(name) ?? 0) + count);
}

function line(sums: ReadonlyMap<string, number>): string {
  return [...sums].map(([name, count]) => `${count} ${name}`).join(', ');
}

async function killRuns(times: number, seed: number): Promise<void> {
  const kills = await kill(times, Math.ceil(times * IMAGES_PER_KILL), seed);
  const { killed, looked, uniqueBytes, sentBytes, violations } = kills;
  const ratio = (sentBytes / uniqueBytes).toFixed(2);
  console.log(
    `seed ${seed}: ${killed} runs killed, ${looked} tags hashed, ${violations.length} violations`,
  );
  console.log(`${sentBytes} bytes sent for ${uniqueBytes} unique ones: ${ratio}`);
  for (const violation of violations) console.error(violation);
  process.exitCode = violations.length > 0 ? 1 : 0;
}

async function cutRuns(times: number, bytes: number): Promise<void> {
  const trials = [
    { at: 'source', to: 'distribution', times },
    { at: 'destination', to: 'confirming', times },
    { at: 'destination', to: 'distribution', times },
    { at: 'process', to: 'confirming', times: 5 },
  ] as const;
  for (const trial of trials) {
    const { cuts, fetched, sent, faults } = await cut({ ...trial, bytes });
    const ratios = `${fetched.toFixed(3)} fetched, ${sent.toFixed(3)} sent`;
    console.log(`${trial.at} to ${trial.to}: cut ${cuts} times, ${ratios} of ${bytes} bytes`);
    for (const fault of faults) console.error(fault);
    if (faults.length > 0) process.exitCode = 1;
  }
}
