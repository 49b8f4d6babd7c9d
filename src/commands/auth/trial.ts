import { homedir } from 'node:os';
import pLimit from 'p-limit';
import type { Defaults } from '../../copy/defaults.ts';
import type { InvalidRuleError } from '../../copy/errors.ts';
import { parseRules } from '../../copy/rules.ts';
import { checkLogin, checkPull, checkPush } from '../../registry/check.ts';
import { openRegistries, type Registries } from '../../registry/registry.ts';
import { unlessAborted } from '../../registry/unless-aborted.ts';
import { readText, readTextIfThere, STANDARD_STREAM } from '../../text/file.ts';
import { EXIT, type Exit } from '../base.ts';
import { checkDefaults } from '../copy/defaults.ts';
import { openVoice } from '../copy/voice.ts';
import { UsageError } from '../errors.ts';
import { explain } from '../explain.ts';
import { type Logins, openLogins } from '../logins.ts';
import { type Attempt, attemptsFor, type Need, needsOf, needsOfKeys } from './needs.ts';
import { formatReport, type LoginCheck, reportOf } from './report.ts';

export interface TrialOptions {
  readonly auth: string | undefined;
  /** the named images.json; the default one may be missing */
  readonly images: string | undefined;
  readonly defaults: Defaults;
  readonly json: boolean;
  readonly configFolder: string;
  readonly signal: AbortSignal;
}

const DEFAULT_IMAGES_PATH = './images.json';
const CHECKS_IN_FLIGHT = 16;

/** The whole of `auth check`: reads, asks for logins, tries them, reports. */
export async function tryLogins(options: TrialOptions): Promise<Exit> {
  const { auth: path, configFolder, json, signal } = options;
  checkDefaults(options.defaults);
  const voice = openVoice(json);
  const logins = await openLogins({ path, environment: process.env, configFolder, tighten: true });
  for (const warning of logins.warnings) voice.warn(new Error(warning));
  const { needs, failures } = await wanted(options, logins);
  for (const failure of failures) voice.ruleFailed(failure);
  const attempts = await unlessAborted(attemptsFor(needs, logins), signal);
  const { loginFor, settingsFor } = logins;
  const registries = openRegistries({ loginFor, settingsFor, onWait: voice.waiting });
  const report = reportOf(await tryAll(attempts, registries, signal));
  const text = json
    ? `${JSON.stringify(report, undefined, 2)}\n`
    : formatReport(report, process.env['HOME'] ?? homedir());
  process.stdout.write(text);
  return report.summary.failed + failures.length > 0 ? EXIT.incomplete : EXIT.done;
}

interface Wanted {
  readonly needs: readonly Need[];
  readonly failures: readonly InvalidRuleError[];
}

async function wanted({ images, defaults }: TrialOptions, { keys }: Logins): Promise<Wanted> {
  const text =
    images === undefined ? await readTextIfThere(DEFAULT_IMAGES_PATH) : await readText(images);
  if (text !== undefined) {
    const file = images === STANDARD_STREAM ? 'standard input' : (images ?? DEFAULT_IMAGES_PATH);
    const { rules, failures } = parseRules(text, file, defaults);
    return { needs: needsOf(rules), failures };
  }
  if (keys.length > 0) return { needs: needsOfKeys(keys), failures: [] };
  throw new UsageError(
    `there is nothing to check: no ${DEFAULT_IMAGES_PATH}, and no entries in an auth.json`,
    '--images and --auth name files elsewhere',
  );
}

async function tryAll(
  attempts: readonly Attempt[],
  registries: Registries,
  signal: AbortSignal,
): Promise<readonly LoginCheck[]> {
  const limit = pLimit(CHECKS_IN_FLIGHT);
  try {
    const checks = await Promise.all(
      attempts.map((attempt) => limit(() => tryOne(attempt, registries, signal))),
    );
    signal.throwIfAborted();
    return checks;
  } finally {
    await registries.close();
  }
}

/** Never throws: what went wrong is in the report, also after an interruption, so that all come to their end. */
async function tryOne(
  { need, login }: Attempt,
  registries: Registries,
  signal: AbortSignal,
): Promise<LoginCheck> {
  const { registry, repository } = need.name;
  const subject = { registry, repository, right: need.right };
  if ('failure' in login) return { ...subject, status: 'failed', error: explain(login.failure) };
  const origin = login.credential ? login.origin : 'anonymous';
  try {
    const note = await outcomeOf(need, registries, signal);
    return { ...subject, origin, status: 'ok', ...(note === undefined ? {} : { note }) };
  } catch (error) {
    return { ...subject, origin, status: 'failed', error: explain(error) };
  }
}

async function outcomeOf(
  { name, right, version }: Need,
  registries: Registries,
  signal: AbortSignal,
) {
  signal.throwIfAborted();
  const probe = await unlessAborted(
    registries.probe(name, right === 'login' ? undefined : right),
    signal,
  );
  if (right === 'login') return checkLogin(probe, signal);
  return right === 'pull' ? checkPull(probe, version, signal) : checkPush(probe, signal);
}
