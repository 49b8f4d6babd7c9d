import { resolve } from 'node:path';
import pLimit from 'p-limit';
import type { Defaults } from '../../copy/defaults.ts';
import type { Ends } from '../../copy/ends.ts';
import type { InvalidRuleError } from '../../copy/errors.ts';
import type { Limit, Room } from '../../copy/limit.ts';
import { parseRules, type Rules } from '../../copy/rules.ts';
import type { Task } from '../../copy/task.ts';
import { expandRules, type TagsOf } from '../../copy/tasks.ts';
import { formatName } from '../../oci/reference.ts';
import { type Log, openLog } from '../../progress/log.ts';
import { openRegistries, type Registries } from '../../registry/registry.ts';
import { sessionJournal } from '../../registry/session-journal.ts';
import { readText, STANDARD_STREAM } from '../../text/file.ts';
import { EXIT, type Exit } from '../base.ts';
import { UsageError } from '../errors.ts';
import { explainShortly } from '../explain.ts';
import { DEFAULT_AUTH_PATH, openLogins } from '../logins.ts';
import { checkDefaults } from './defaults.ts';
import { openVoice, type Voice } from './voice.ts';

/** What `copy`, `copy plan` and `copy verify` are told alike. */
export interface RunOptions {
  readonly auth: string | undefined;
  readonly images: string;
  readonly log: string;
  readonly defaults: Defaults;
  /** the most requests a second to each registry */
  readonly rps: number | undefined;
  readonly json: boolean;
  readonly encryptAuth: boolean;
  readonly configFolder: string;
  /** where uploads are remembered that a run could not finish */
  readonly journal: string;
  readonly signal: AbortSignal;
}

export interface Expanded {
  readonly tasks: readonly Task[];
  /** in the order of the file */
  readonly ruleFailures: readonly InvalidRuleError[];
}

interface Report {
  readonly kind: 'CopyReport' | 'CopyPlan' | 'VerifyReport';
  readonly summary: object;
  readonly rules: readonly unknown[];
}

/** What one run works with, opened before anything is asked of a registry. */
export interface Run {
  readonly registries: Registries;
  /** sources to pull from, destinations to push to */
  readonly ends: Ends;
  readonly log: Log;
  readonly voice: Voice;
  /** how many images are known at a time: what is known of an image is held in memory until it is done with */
  readonly known: Room;
  /** how many questions are asked at a time */
  readonly looks: Limit;
  /** Turns the rules into tasks, and says which of them cannot be used. */
  expand(): Promise<Expanded>;
  /** How the run stands, for its report. */
  clock(): { readonly durationMs: number; readonly interrupted: boolean };
  /**
   * Says the last lines and hands out the report.
   *
   * @param complete - whether all went well with the images
   */
  end(report: Report, closing: readonly string[], complete: boolean): Exit;
}

// Looking at images costs round trips, carrying blobs costs bandwidth: each has its own measure, whatever -w says.
const LOOKS_IN_FLIGHT = 32;
const KNOWN_IMAGES = 500;

/**
 * Reads the rules, opens logins, log and registries, and does the work. Once it is done plain logins are sealed;
 * connections and the log are closed however it ended.
 *
 * @throws {UsageError} flags contradict one another
 * @throws {FileError} a file cannot be read
 * @throws {DocumentError} a file is not what it should be
 * @throws {LogError} the log cannot be opened
 */
export async function withRun(
  options: RunOptions,
  kind: Report['kind'],
  work: (run: Run) => Promise<Exit>,
): Promise<Exit> {
  const { auth: path, configFolder, encryptAuth: tighten, images, signal } = options;
  checkLog(options);
  checkDefaults(options.defaults);
  const voice = openVoice(options.json);
  const logins = await openLogins({ path, environment: process.env, configFolder, tighten });
  for (const warning of logins.warnings) voice.warn(new Error(warning));
  const file = images === STANDARD_STREAM ? 'standard input' : images;
  const rules = parseRules(await readText(images), file, options.defaults);
  const log = await openLog(options.log, { explain: explainShortly });
  const registries = openRegistries({
    loginFor: logins.loginFor,
    settingsFor: logins.settingsFor,
    rps: options.rps,
    kept: sessionJournal(options.journal),
    onLogin: (name, { origin }) =>
      log.write({ event: 'login', repository: formatName(name), origin }),
    onWait: (wait) => {
      log.write({ event: 'waiting', ...wait });
      voice.waiting(wait);
    },
  });
  try {
    log.write({ event: 'begun', kind, rules: rules.rules.length + rules.failures.length });
    const exit = await work(newRun(options, rules, { registries, log, voice }));
    if (options.encryptAuth) await logins.seal().catch((error: unknown) => voice.warn(error));
    return signal.aborted ? EXIT.interrupted : exit;
  } finally {
    await registries.close();
    await log.close().catch((error: unknown) => voice.warn(error));
  }
}

/** Bounds how much is done at a time. */
export function limitOf(count: number): Room {
  const limit = pLimit(count);
  const run: Limit = (work) => limit(work);
  return Object.assign(run, { count });
}

/** A log is appended to, and would spoil a file that is read. */
function checkLog({ auth = DEFAULT_AUTH_PATH, images, log }: RunOptions): void {
  const readFrom = { '--images': images, '--auth': auth };
  for (const [flag, path] of Object.entries(readFrom))
    if (resolve(path) === resolve(log))
      throw new UsageError(`--log and ${flag} name the same file: ${log}`);
}

function newRun(
  { json, signal }: RunOptions,
  { rules, failures }: Rules,
  opened: Pick<Run, 'registries' | 'log' | 'voice'>,
): Run {
  const { registries, log, voice } = opened;
  const begun = performance.now();
  const looks = limitOf(LOOKS_IN_FLIGHT);
  const tagsOf: TagsOf = async (name) => {
    const repository = await registries.open(name, 'pull');
    return Array.fromAsync(repository.listTags(signal));
  };
  return {
    ...opened,
    ends: {
      source: (name) => registries.open(name, 'pull'),
      destination: (name) => registries.open(name, 'push'),
    },
    known: limitOf(KNOWN_IMAGES),
    looks,
    expand: async () => {
      const expanded = await expandRules(rules, tagsOf, looks);
      const ruleFailures = inOrder([...failures, ...expanded.failures]);
      for (const failure of ruleFailures) {
        voice.ruleFailed(failure);
        log.write({ event: 'rule failed', ...failure.place, error: failure.message });
      }
      return { tasks: expanded.tasks, ruleFailures };
    },
    clock: () => ({
      durationMs: Math.round(performance.now() - begun),
      interrupted: signal.aborted,
    }),
    end: (report, closing, complete) => {
      log.write({ event: 'ended', kind: report.kind, ...report.summary });
      for (const line of closing) voice.say(line);
      if (json) process.stdout.write(`${JSON.stringify(report, undefined, 2)}\n`);
      return complete && report.rules.length === 0 ? EXIT.done : EXIT.incomplete;
    },
  };
}

function inOrder(failures: readonly InvalidRuleError[]): readonly InvalidRuleError[] {
  return failures.toSorted(
    (first, second) =>
      first.place.line - second.place.line || first.place.column - second.place.column,
  );
}
