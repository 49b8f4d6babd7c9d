import { verify } from '../../copy/verify.ts';
import { type VerifyReport, verifyReportOf } from '../../copy/verify-report.ts';
import { counted } from '../../progress/format.ts';
import { showVerdicts } from '../../progress/verdicts.ts';
import type { Exit } from '../base.ts';
import { explain, explainShortly } from '../explain.ts';
import { limitOf, type RunOptions, withRun } from './run.ts';

export interface AuditOptions extends RunOptions {
  readonly deep: boolean;
}

const READS_IN_FLIGHT = 8;

/** The whole of `copy verify`: reads both sides, and writes to neither. */
export function audit(options: AuditOptions): Promise<Exit> {
  return withRun(options, 'VerifyReport', async (run) => {
    const { registries, known, looks, voice } = run;
    const { tasks, ruleFailures } = await run.expand();
    voice.say(`Verifying ${counted(tasks.length, 'image')}, please wait ...`);
    const verification = await verify(tasks, {
      // Who may only pull from the destination can verify, too.
      ends: {
        source: (name) => registries.open(name, 'pull'),
        destination: (name) => registries.open(name, 'pull'),
      },
      known,
      looks,
      reads: limitOf(READS_IN_FLIGHT),
      deep: options.deep,
      listener: showVerdicts({ stream: voice.stream, explain: explainShortly }),
      signal: options.signal,
    });
    const report = verifyReportOf(
      { tasks, ruleFailures, ...verification, ...run.clock() },
      explain,
    );
    return run.end(report, verifyLines(report), isProven(report));
  });
}

function isProven({ summary }: VerifyReport): boolean {
  return summary.identical + summary.converted === summary.images;
}

function verifyLines({ summary, images }: VerifyReport): readonly string[] {
  const { identical, missing, different, incomplete, failed, rulesFailed } = summary;
  if (summary.interrupted) {
    const left = images.filter(({ error }) => error?.code === 'INTERRUPTED').length;
    return [
      `Interrupted: ${images.length - left} of ${images.length} images are verified, ${left} are left; run the same command again`,
    ];
  }
  return [
    ...(rulesFailed > 0 ? [`${counted(rulesFailed, 'rule')} cannot be used`] : []),
    `Verified(${images.length}) finished, ${identical} identical, ${missing} missing, ${different} different, ${incomplete} incomplete, ${failed} failed`,
  ];
}
