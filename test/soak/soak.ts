import { parseArgs } from 'node:util';
import { kill } from './kills.ts';
import { type Figures, liveOnce } from './world.ts';

const USAGE = `usage: npm run soak -- [--minutes N] [--seed N] [--kills N]

Copies random images through random faults until the time is over, and looks after every request whether a tag names
anything missing or wrong. With --kills it copies between real registries instead, and kills the program so often.

  --minutes N  how long (default 10)
  --seed N     where the random numbers begin (default: now); a failure names the seed that shows it again
  --kills N    kill N runs`;

const RUNS_OF_A_WORLD = 8;
const IMAGES_PER_KILL = 6;

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    seed: { type: 'string', default: `${Date.now() % 1_000_000}` },
    kills: { type: 'string' },
    help: { type: 'boolean', short: 'h' },
  },
});

if (values.help) console.log(USAGE);
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
