import { resolve } from 'node:path';
import pLimit from 'p-limit';
import { copyAll } from '../../copy/copy.ts';
import type { Defaults } from '../../copy/defaults.ts';
import type { Ends } from '../../copy/ends.ts';
import type { Listener, Outcome } from '../../copy/events.ts';
import type { Limit } from '../../copy/limit.ts';
import { Queue } from '../../copy/queue.ts';
import { blobCounter, reportOf } from '../../copy/report.ts';
import { parseRules, type Rules } from '../../copy/rules.ts';
import { expandRules, type Tasks } from '../../copy/tasks.ts';
import { formatName } from '../../oci/reference.ts';
import { type Log, openLog } from '../../progress/log.ts';
import { openRegistries, type Registries } from '../../registry/registry.ts';
import { delayBefore } from '../../registry/retry.ts';
import { readText, STANDARD_STREAM } from '../../text/file.ts';
import { EXIT, type Exit } from '../base.ts';
import { UsageError } from '../errors.ts';
import { explain, explainShortly } from '../explain.ts';
import { checkDefaults } from './defaults.ts';
import { DEFAULT_AUTH_PATH, type Logins, openLogins } from './logins.ts';
import { openVoice, type Voice } from './voice.ts';

export interface MigrateOptions {
  readonly auth: string | undefined;
  readonly images: string;
  readonly log: string;
  readonly defaults: Defaults;
  readonly retries: number;
  readonly workers: number;
  /** whether small images, and blobs of those that come next, may be sent beside them */
  readonly ahead: boolean;
  readonly json: boolean;
  readonly progress: boolean;
  readonly encryptAuth: boolean;
  readonly configFolder: string;
  readonly signal: AbortSignal;
}

// Looking at images costs round trips, carrying blobs costs bandwidth: each has its own measure, whatever -w says.
const LOOKS_IN_FLIGHT = 32;
// What is known of an image is held in memory until it has arrived.
const KNOWN_IMAGES = 500;
const BLOBS = {
  ...{ lanes: 16, smallLanes: 24, smallBelow: 1024 * 1024 },
  perHost: { lanes: 10, smallLanes: 16 },
};
// Small images cost little but round trips, and need not wait until the large ones are done.
const SMALL_IMAGES = { smallLanes: 16, smallBelow: 1024 * 1024 };
const IMAGE_BACKOFF = { firstDelayMs: 1_000, maximumDelayMs: 30_000 };

/** What one run works with, opened before anything is sent. */
interface Run {
  readonly options: MigrateOptions;
  readonly logins: Logins;
  readonly registries: Registries;
  readonly log: Log;
  readonly voice: Voice;
}

/** The whole of `copy`: reads, plans, copies, reports, seals. */
export async function migrate(options: MigrateOptions): Promise<Exit> {
  const { auth: path, configFolder, images, signal } = options;
  checkLog(options);
  checkDefaults(options.defaults);
  const logins = await openLogins({ path, environment: process.env, configFolder });
  const file = images === STANDARD_STREAM ? 'standard input' : images;
  const rules = parseRules(await readText(images), file, options.defaults);
  const log = await openLog(options.log, { explain: explainShortly });
  const voice = openVoice(options);
  const registries = openRegistries({
    loginFor: logins.loginFor,
    settingsFor: logins.settingsFor,
    onLogin: (name, { origin }) =>
      log.write({ event: 'login', repository: formatName(name), origin }),
    onWait: (wait) => {
      log.write({ event: 'waiting', ...wait });
      voice.waiting(wait);
    },
  });
  try {
    const exit = await carryOut(rules, { options, logins, registries, log, voice });
    if (options.encryptAuth) await logins.seal().catch((error: unknown) => voice.warn(error));
    return signal.aborted ? EXIT.interrupted : exit;
  } finally {
    await registries.close();
    await log.close().catch((error: unknown) => voice.warn(error));
  }
}

/** A log is appended to, and would spoil a file that is read. */
function checkLog({ auth = DEFAULT_AUTH_PATH, images, log }: MigrateOptions): void {
  const readFrom = { '--images': images, '--auth': auth };
  for (const [flag, path] of Object.entries(readFrom))
    if (resolve(path) === resolve(log))
      throw new UsageError(`--log and ${flag} name the same file: ${log}`);
}

async function carryOut(rules: Rules, run: Run): Promise<Exit> {
  const { options, log, voice } = run;
  const begun = performance.now();
  voice.generating();
  log.write({ event: 'begun', rules: rules.rules.length + rules.failures.length });
  const expanded = await expand(rules, run);
  const { tasks } = expanded;
  const ruleFailures = [...rules.failures, ...expanded.failures].sort(
    (first, second) =>
      first.place.line - second.place.line || first.place.column - second.place.column,
  );
  for (const failure of ruleFailures) {
    voice.ruleFailed(failure);
    log.write({ event: 'rule failed', ...failure.place, error: failure.message });
  }
  voice.handling();
  const blobs = blobCounter();
  const outcomes = await copyTasks(expanded, [blobs.listener, log.listener], run);
  const durationMs = Math.round(performance.now() - begun);
  const interrupted = options.signal.aborted;
  const report = reportOf(
    { tasks, outcomes, ruleFailures, blobs: blobs.counts(), durationMs, interrupted },
    explain,
  );
  log.write({ event: 'ended', ...report.summary });
  voice.ended(report);
  return report.summary.failed + ruleFailures.length > 0 ? EXIT.incomplete : EXIT.done;
}

function expand({ rules }: Rules, { registries, options }: Run): Promise<Tasks> {
  const tagsOf = async (name: Parameters<Registries['open']>[0]) => {
    const repository = await registries.open(name, 'pull');
    return Array.fromAsync(repository.listTags(options.signal));
  };
  return expandRules(rules, tagsOf, limitOf(LOOKS_IN_FLIGHT));
}

async function copyTasks(
  { tasks }: Tasks,
  listeners: readonly Listener[],
  { options, registries, voice }: Run,
): Promise<readonly Outcome[]> {
  const { workers, ahead, retries, signal } = options;
  const ends: Ends = {
    source: (name) => registries.open(name, 'pull'),
    destination: (name) => registries.open(name, 'push'),
  };
  const reporter = await voice.progress(Math.min(workers, tasks.length));
  const listener: Listener = (event) => {
    for (const listen of [...listeners, reporter.listener]) listen(event);
  };
  try {
    return await copyAll(tasks, {
      ends,
      known: limitOf(KNOWN_IMAGES),
      looks: limitOf(LOOKS_IN_FLIGHT),
      images: new Queue({ lanes: workers, ...(ahead ? SMALL_IMAGES : {}) }),
      ahead,
      blobs: new Queue(BLOBS),
      retries,
      delayBefore: (retry) => delayBefore(retry, IMAGE_BACKOFF),
      listener,
      signal,
    });
  } finally {
    await reporter.stop();
  }
}

function limitOf(count: number): Limit {
  const limit = pLimit(count);
  return (work) => limit(work);
}
