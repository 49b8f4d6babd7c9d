import { explain } from '../../src/commands/explain.ts';
import type { Ends } from '../../src/copy/ends.ts';
import { CopyError, type InvalidRuleError, type Side } from '../../src/copy/errors.ts';
import type { Outcome } from '../../src/copy/events.ts';
import { parseRules } from '../../src/copy/rules.ts';
import { expandRules } from '../../src/copy/tasks.ts';
import { openRegistries, type Registries } from '../../src/registry/registry.ts';
import { atMost, copyTasks } from '../copy/run.ts';
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.ts';
import type { ProxyFault } from '../support/fault-proxy-faults.ts';
import { pushImage } from '../support/images.ts';
import type { PushedImage } from '../support/images-push.ts';
import type { RequestRecord } from '../support/registry-log.ts';
import { type Standing, standingOf } from './destination.ts';
import { type FaultRow, faultsAt } from './row.ts';
import type { Stage } from './stage.ts';

/** What a row is without its fault. */
export type Setting = Pick<FaultRow, 'images' | 'older' | 'destination'>;

/** An image, or a rule, that failed. */
export interface Failure {
  readonly side: Side | undefined;
  readonly code: string;
  readonly message: string;
  readonly attempts: number;
}

/** What came of one run. */
export interface Trial {
  readonly images: number;
  readonly failures: readonly Failure[];
  /** what the destination then has, one for each image */
  readonly standing: readonly Standing[];
  /** of both sides and their token servers */
  readonly requests: number;
  /** bytes of blobs that passed each side */
  readonly bytes: Readonly<Record<Side, number>>;
  /** faults that were to happen and did not */
  readonly missed: readonly ProxyFault[];
  /** how many requests to another origin brought a login along */
  readonly leaked: number;
}

// As often as the command does, with pauses that tests can wait for.
const IMAGE_RETRIES = 3;
const RETRY = { retries: 3, firstDelayMs: 5, maximumDelayMs: 20 };
const IDLE_MS = 20_000;
const AWAY_MS = 20_000;

let trials = 0;

const BLOB_CLASSES: ReadonlySet<string> = new Set(['blob', 'upload', 'elsewhere']);
const NO_FAULTS: Readonly<Record<Side, readonly ProxyFault[]>> = { source: [], destination: [] };

interface Trouble {
  readonly faults: Readonly<Record<Side, readonly ProxyFault[]>>;
  readonly gone?: Side | undefined;
  readonly awayMs?: number | undefined;
  readonly idleMs?: number | undefined;
}

/** Copies without any fault. */
export function tryWithout(stage: Stage, setting: Setting): Promise<Trial> {
  return tryOut(stage, setting, { faults: NO_FAULTS }, new AbortController().signal);
}

/** Copies while the faults of a row happen at one side. */
export function tryRow(
  stage: Stage,
  row: FaultRow,
  side: Side,
  signal: AbortSignal,
): Promise<Trial> {
  const faults = { ...NO_FAULTS, [side]: faultsAt(row, side) };
  const { awayMs, idleMs, gone } = row;
  return tryOut(stage, row, { faults, awayMs, idleMs, gone: gone && side }, signal);
}

async function tryOut(
  stage: Stage,
  { images = 'two', older, destination = 'distribution' }: Setting,
  { faults, gone, awayMs = AWAY_MS, idleMs = IDLE_MS }: Trouble,
  signal: AbortSignal,
): Promise<Trial> {
  const pushed = stage.images[images];
  const target = stage.destinations[destination];
  trials += 1;
  const namespace = `trial-${trials}`;
  if (older) for (const image of pushed) await pushImage(target, placeOf(image, namespace));
  const [from, to] = await Promise.all([
    startFaultProxy(stage.sources[images]),
    startFaultProxy(target),
  ]);
  const proxies: Readonly<Record<Side, FaultProxy>> = { source: from, destination: to };
  const registries = openRegistries({
    settingsFor: () => ({ insecure: true }),
    loginFor: async ({ registry }) => loginOf(registry === from.host ? from : to),
    // An answer may take longer than a transfer may stand still.
    patience: { idleMs, awayMs },
    retry: RETRY,
  });
  try {
    from.faults.add(...faults.source);
    to.faults.add(...faults.destination);
    if (gone) await proxies[gone].goAway();
    const rules = rulesOf(images, pushed, proxies, namespace);
    const failures = await copyAllOf(rules, registries, signal);
    await Promise.all([from.settle(), to.settle()]);
    return {
      ...{ images: pushed.length, failures },
      standing: await standingOf(target, namespace, pushed),
      requests: from.log.count() + to.log.count(),
      bytes: {
        source: blobBytes(from, ({ bytesOut, status }) => (status < 300 ? bytesOut : 0)),
        destination: blobBytes(to, ({ bytesIn }) => bytesIn),
      },
      missed: [
        ...faults.source.filter((fault) => from.faults.applied(fault) === 0),
        ...faults.destination.filter((fault) => to.faults.applied(fault) === 0),
      ],
      leaked: from.leakedAuthorization() + to.leakedAuthorization(),
    };
  } finally {
    await registries.close();
    await Promise.all([from.close(), to.close()]);
  }
}

function blobBytes({ log }: FaultProxy, bytesOf: (record: RequestRecord) => number): number {
  const records = log.records.filter(({ class: of }) => BLOB_CLASSES.has(of));
  return records.reduce((sum, record) => sum + bytesOf(record), 0);
}

/** Another image where this one will be. */
function placeOf({ repository, tag }: PushedImage, namespace: string) {
  return { repository: `${namespace}/${repository}`, tag, layers: 1, seed: 'older' };
}

/** What images.json would say. */
function rulesOf(
  images: NonNullable<FaultRow['images']>,
  pushed: readonly PushedImage[],
  { source, destination }: Readonly<Record<Side, FaultProxy>>,
  namespace: string,
): string {
  const versionOf = ({ tag }: PushedImage) => (images === 'many' ? '' : `:${tag}`);
  const entries = pushed.map((image): [string, string] => {
    const name = `${image.repository}${versionOf(image)}`;
    return [`${source.host}/${name}`, `${destination.host}/${namespace}/${name}`];
  });
  return JSON.stringify(Object.fromEntries(entries));
}

function loginOf({ login }: FaultProxy) {
  if (!login) return { origin: 'anonymous' } as const;
  const { username, password } = login;
  return { origin: 'a test', credential: { kind: 'password', username, password } } as const;
}

/** Plans and copies as the command does, and says what failed. */
async function copyAllOf(
  text: string,
  registries: Registries,
  signal: AbortSignal,
): Promise<readonly Failure[]> {
  const defaults = { sourceRegistry: 'docker.io', sourceNamespace: 'library' };
  const { rules, failures: wrong } = parseRules(text, 'images.json', defaults);
  const expanded = await expandRules(
    rules,
    async (name) => Array.fromAsync((await registries.open(name, 'pull')).listTags(signal)),
    atMost(16),
  );
  const ends: Ends = {
    source: (name) => registries.open(name, 'pull'),
    destination: (name) => registries.open(name, 'push'),
  };
  const retries = IMAGE_RETRIES;
  const { outcomes } = await copyTasks(expanded.tasks, ends, { retries, signal });
  const failed = outcomes.filter((outcome) => outcome.status === 'failed');
  return [...[...wrong, ...expanded.failures].map(ruleFailure), ...failed.map(imageFailure)];
}

function ruleFailure(error: InvalidRuleError): Failure {
  // Tags are listed at the source only.
  return { ...explain(error), side: 'source', attempts: 1 };
}

function imageFailure({ error, attempts }: Extract<Outcome, { status: 'failed' }>): Failure {
  const side = error instanceof CopyError ? error.side : undefined;
  return { ...explain(error), side, attempts };
}
