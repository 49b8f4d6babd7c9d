import type { TestContext } from 'node:test';
import { type Desk, openDesk } from '../support/cli.ts';
import { type Distribution, startDistribution } from '../support/distribution.ts';
import { pushImage } from '../support/images.ts';
import { KINDS } from '../support/images-kinds.ts';
import { makeLayer } from '../support/images-layer.ts';
import type { FinishedProcess } from '../support/process.ts';
import { type RunningRegistry, startRegistry, type TestRegistry } from '../support/registry.ts';
import { loginsTo } from './move.ts';

/** A registry full of images, distribution to bring them to, and a desk. */
export interface Shelf {
  readonly source: TestRegistry;
  readonly destination: Distribution;
  readonly desk: Desk;
  /** one line of images.json for each image */
  readonly rules: readonly (readonly [string, string])[];
  /** Writes an images.json of these rules, all by default. */
  write(rules?: Shelf['rules']): Promise<void>;
}

/** Every kind of image, and six repositories whose images share layers, two tags each. */
export async function openShelf(t: TestContext): Promise<Shelf> {
  const source = await startRegistry();
  t.after(() => source.close());
  const destination = await startDistribution();
  t.after(() => destination.close());
  const desk = await openDesk();
  t.after(() => desk.close());
  await desk.write('auth.json', loginsTo(source, destination));
  const names = [...(await pushKinds(source)), ...(await pushShared(source))];
  const rules = names.map(
    (name) => [`${source.host}/${name}`, `${destination.host}/moved/${name}`] as const,
  );
  return {
    ...{ source, destination, desk, rules },
    write: (some = rules) => desk.write('images.json', JSON.stringify(Object.fromEntries(some))),
  };
}

async function pushKinds(source: TestRegistry): Promise<readonly string[]> {
  const names: string[] = [];
  for (const [number, push] of Object.values(KINDS).entries()) {
    await push(source, { repository: `kinds/kind${number}`, tag: 'v1' });
    names.push(`kinds/kind${number}:v1`);
  }
  return names;
}

async function pushShared(source: TestRegistry): Promise<readonly string[]> {
  const base = [makeLayer('base', 5_000), makeLayer('middle', 3_000)];
  const names: string[] = [];
  for (let number = 0; number < 6; number += 1)
    for (const tag of ['v1', 'v2']) {
      const layers = [...base.slice(0, 1 + (number % 2)), makeLayer(`own ${number} ${tag}`)];
      await pushImage(source, { repository: `shared/app${number}`, tag, layers });
      names.push(`shared/app${number}:${tag}`);
    }
  return names;
}

/** What a report says, whichever it is. */
export interface AnyReport {
  readonly apiVersion: string;
  readonly kind: string;
  readonly summary: Readonly<Record<string, number>>;
  readonly images: readonly {
    readonly source: string;
    readonly destination: string;
    readonly status: string;
    readonly sourceDigest?: string;
    readonly destinationDigest?: string;
    readonly bytes?: number;
    readonly notes: readonly string[];
    readonly error?: { readonly code: string; readonly message: string; readonly hint?: string };
  }[];
  readonly rules: readonly unknown[];
}

export function anyReportIn({ stdout }: FinishedProcess): AnyReport {
  return JSON.parse(stdout) as AnyReport;
}

/** What a registry was asked to change since its log was last cleared: an empty list for whoever only reads. */
export async function writesTo(registry: RunningRegistry): Promise<readonly string[]> {
  await registry.settle();
  return registry.log.summary().filter((line) => !/^(GET|HEAD) /.test(line));
}

/** Plans, then copies; gives what was foreseen and what happened in the same words, and what the plan wrote. */
export async function planAndCopy({ source, destination, desk }: Shelf) {
  for (const registry of [source, destination]) {
    await registry.settle();
    registry.log.clear();
  }
  const planned = await desk.run(['copy', 'plan', '-o', 'json']);
  const writes = [...(await writesTo(source)), ...(await writesTo(destination))];
  const plan = anyReportIn(planned);
  const copied = await desk.run(['copy', '-o', 'json']);
  const copy = anyReportIn(copied);
  return {
    ...{ planned, copied, plan, copy, writes },
    foreseen: {
      copied: (plan.summary['new'] ?? 0) + (plan.summary['changed'] ?? 0),
      skipped: plan.summary['unchanged'],
      transferred: plan.summary['blobsToTransfer'],
      mounted: plan.summary['blobsToMount'],
      existing: plan.summary['blobsExisting'],
      bytes: plan.summary['bytesToTransfer'],
    },
    happened: {
      copied: copy.summary['copied'],
      skipped: copy.summary['skipped'],
      transferred: copy.summary['blobsTransferred'],
      mounted: copy.summary['blobsMounted'],
      existing: copy.summary['blobsExisting'],
      bytes: copy.summary['bytesTransferred'],
    },
  };
}
