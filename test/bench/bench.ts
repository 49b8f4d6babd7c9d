import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeCertificates } from '../support/certificates.ts';
import { setBlobCacheAside } from './blob-cache.ts';
import { type Recipe, totalsOf } from './corpus.ts';
import { fill } from './fill.ts';
import { type Flags, readFlags, USAGE } from './flags.ts';
import { growthTrials } from './growth.ts';
import { jobsOf } from './job.ts';
import { type Lifetime, openLifetime } from './lifetime.ts';
import { bestFolder, describeMachine, registryVersion } from './machine.ts';
import { isDisturbed, type Results, type Run } from './record.ts';
import { startRegistry } from './registry.ts';
import { ratiosOf, summarize } from './summary.ts';
import { casesTable, ratiosTable } from './table.ts';
import { type FoundTool, findTools } from './tools-found.ts';
import { type Bench, SOURCE_FOLDER, type Trial, tryTool } from './trial.ts';

/** Exit code after Ctrl-C. */
const INTERRUPTED = 130;

const interruption = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.on(signal, () => interruption.abort(new Error('interrupted')));

const words = process.argv.slice(2);
if (words.includes('--help')) console.log(USAGE);
else await main(readOrExplain(words));

function readOrExplain(given: readonly string[]): Flags {
  try {
    return readFlags(given);
  } catch (error) {
    console.error(`error: ${error instanceof Error ? error.message : error}\n\n${USAGE}`);
    process.exit(2);
  }
}

async function main(flags: Flags): Promise<void> {
  const lifetime = openLifetime();
  try {
    await compare(flags, lifetime);
  } catch (error) {
    // What fails once everything is being ended is no error of its own.
    const isInterrupted = interruption.signal.aborted;
    const reason = error instanceof Error ? error.message : error;
    console.error(isInterrupted ? 'interrupted' : `error: ${reason}`);
    process.exitCode = isInterrupted ? INTERRUPTED : 1;
  } finally {
    await lifetime.end();
  }
}

async function compare(flags: Flags, lifetime: Lifetime): Promise<void> {
  const tools = await findTools(flags.tools);
  const trials = trialsOf(flags);
  const recipes = distinct(trials.flatMap(({ job }) => job.recipes));
  const { uniqueBytes } = totalsOf(recipes);
  const root = flags.folder ?? bestFolder(3 * uniqueBytes);
  const folder = await mkdtemp(join(root, 'migrate-images-bench-'));
  lifetime.add(() => rm(folder, { recursive: true, force: true }));
  const blobCache = await setBlobCacheAside();
  lifetime.add(blobCache.restore);
  const certificates = flags.tls ? await makeCertificates() : undefined;
  if (certificates) lifetime.add(certificates.remove);
  const bench = { folder, lifetime, signal: interruption.signal, blobCache, certificates };

  say(`${recipes.length} images, ${(uniqueBytes / 1e6).toFixed(0)} MB, into ${folder}`);
  await fillSource(join(folder, SOURCE_FOLDER), recipes, lifetime);
  for (const { tool, version } of tools) say(`${tool.id} ${version}`);
  const runs = await runAll(trials, tools, { ...bench, timeoutMs: flags.timeoutMs }, flags.rounds);
  const rows = summarize(runs);
  console.log(casesTable(rows));
  const ratios = ratiosOf(rows);
  if (ratios.length > 0) console.log(`\n### ratios\n\n${ratiosTable(ratios)}`);
  if (flags.json === undefined) return;
  const results = await resultsOf(flags, trials, tools, runs);
  await writeFile(flags.json, `${JSON.stringify(results, undefined, 1)}\n`);
}

function trialsOf(flags: Flags): readonly Trial[] {
  const { axes, values, scale, sets, roundTripMs, bitsPerSecond, workers } = flags;
  if (axes) return axes.flatMap((axis) => growthTrials(axis, values, flags));
  const hasLink = roundTripMs > 0 || bitsPerSecond !== undefined;
  const link = hasLink ? { roundTripMs, bitsPerSecond } : undefined;
  return jobsOf(sets, scale).map((job) => ({ job, link, workers }));
}

function distinct(recipes: readonly Recipe[]): readonly Recipe[] {
  return [
    ...new Map(recipes.map((recipe) => [`${recipe.repository}:${recipe.tag}`, recipe])).values(),
  ];
}

async function fillSource(
  folder: string,
  recipes: readonly Recipe[],
  lifetime: Lifetime,
): Promise<void> {
  const registry = await startRegistry(folder);
  const close = lifetime.add(registry.close);
  await fill(registry.url, recipes, interruption.signal);
  await close();
}

/** Round by round, and in each round tool by tool: what disturbs the machine for a while disturbs all of them. */
async function runAll(
  trials: readonly Trial[],
  tools: readonly FoundTool[],
  bench: Bench,
  rounds: number,
): Promise<readonly Run[]> {
  const runs: Run[] = [];
  for (let round = 1; round <= rounds; round += 1)
    for (const trial of trials)
      for (const { tool } of rotated(tools, round)) {
        const pair = await tryTool(tool, trial, round, bench);
        for (const run of pair) say(lineOf(run));
        runs.push(...pair);
      }
  return runs;
}

/** Another tool begins each round. */
function rotated<Item>(items: readonly Item[], by: number): readonly Item[] {
  const start = by % items.length;
  return [...items.slice(start), ...items.slice(0, start)];
}

function lineOf(run: Run): string {
  const { tool, name, axis, value, round, wallMs, faults, exit, output } = run;
  const point = axis === undefined ? '' : ` ${axis} ${value}`;
  const wrong = faults.length > 0 || exit !== 0 ? `, exit ${exit}, ${faults.length} faults` : '';
  const why = exit === 0 ? '' : `\n    ${output.trim().split('\n').at(-1)}`;
  const disturbed = isDisturbed(run) ? ', disturbed' : '';
  return `round ${round}: ${name}${point}: ${tool} ${(wallMs / 1000).toFixed(2)} s${wrong}${disturbed}${why}`;
}

async function resultsOf(
  flags: Flags,
  trials: readonly Trial[],
  tools: readonly FoundTool[],
  runs: readonly Run[],
): Promise<Results> {
  const { roundTripMs, bitsPerSecond, tls, scale, workers, axes } = flags;
  const versions = tools.map(({ tool, version }) => [tool.id, version]);
  return {
    version: 1,
    kind: axes ? 'growth' : 'comparison',
    date: new Date().toISOString().slice(0, 10),
    machine: describeMachine(),
    link: { roundTripMs, bitsPerSecond, tls },
    ...{ scale, workers },
    versions: { ...Object.fromEntries(versions), 'docker-registry': await registryVersion() },
    totals: Object.fromEntries(trials.map(({ job }) => [job.name, totalsOf(job.recipes)])),
    // What failed runs said names temporary folders; it was for the terminal.
    runs: runs.map((run) => ({ ...run, output: '' })),
  };
}

/** Progress goes to standard error: standard output holds the tables alone. */
function say(line: string): void {
  console.error(line);
}
