import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Certificates } from '../support/certificates.ts';
import type { BlobCache } from './blob-cache.ts';
import { type End, openEnd } from './end.ts';
import type { Job } from './job.ts';
import type { Lifetime } from './lifetime.ts';
import { measure } from './measure.ts';
import type { Run } from './record.ts';
import type { LinkOptions } from './relay.ts';
import type { Tool } from './tools.ts';
import { verify } from './verify.ts';

/** One job under one condition, for every tool the same. */
export interface Trial {
  readonly job: Job;
  readonly link: LinkOptions | undefined;
  readonly workers: number;
  /** what is varied, in a growth run */
  readonly point?: { readonly axis: string; readonly value: number };
}

/** Where and under which guard trials run. */
export interface Bench {
  readonly folder: string;
  readonly lifetime: Lifetime;
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
  readonly blobCache: BlobCache;
  /** both registries speak TLS with them; undefined: plain HTTP */
  readonly certificates: Certificates | undefined;
}

export const SOURCE_FOLDER = 'source';

/**
 * Lets a tool do a job twice: with an empty destination, then once more.
 *
 * @returns both runs, each verified
 */
export async function tryTool(
  tool: Tool,
  trial: Trial,
  round: number,
  bench: Bench,
): Promise<readonly Run[]> {
  const { job, link, workers, point } = trial;
  const { lifetime, signal, timeoutMs, blobCache, certificates } = bench;
  const desk = join(bench.folder, 'desk');
  const folder = join(bench.folder, 'destination');
  for (const path of [desk, folder]) await rm(path, { recursive: true, force: true });
  await mkdir(desk);
  await blobCache.forget();
  const open = async (path: string): Promise<readonly [End, () => Promise<void>]> => {
    const end = await openEnd(path, link, certificates);
    return [end, lifetime.add(end.close)];
  };
  const [source, closeSource] = await open(join(bench.folder, SOURCE_FOLDER));
  const [destination, closeDestination] = await open(folder);
  const command = await tool.prepare({
    ...{ job, workers, folder: desk },
    ...{ source: source.host, destination: destination.host },
    secure: certificates !== undefined,
  });
  const expected = job.recipes.map((recipe) => {
    const repository = tool.placeOf?.(recipe.repository, job) ?? recipe.repository;
    return { ...recipe, repository };
  });
  const runs: Run[] = [];
  for (const state of ['fresh', 'unchanged']) {
    const measured = await measure({ command, source, destination, timeoutMs, signal });
    signal.throwIfAborted();
    const faults = await verify(destination.registry.url, expected);
    runs.push({
      name: `${job.name} ${state}`,
      tool: tool.id,
      round,
      ...point,
      faults,
      ...measured,
    });
  }
  await closeDestination();
  await closeSource();
  await rm(folder, { recursive: true, force: true });
  return runs;
}
