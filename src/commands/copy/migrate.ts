import { bandwidthOf } from '../../copy/bandwidth.ts';
import { copyAll } from '../../copy/copy.ts';
import type { Listener, Outcome } from '../../copy/events.ts';
import { Queue } from '../../copy/queue.ts';
import { blobCounter, reportOf } from '../../copy/report.ts';
import type { Task } from '../../copy/task.ts';
import { type Reporter, showLines } from '../../progress/lines.ts';
import { wantsLanes } from '../../progress/terminal.ts';
import { delayBefore } from '../../registry/backoff.ts';
import type { Exit } from '../base.ts';
import { explain, explainShortly } from '../explain.ts';
import { closingLines } from './closing.ts';
import { type Run, type RunOptions, withRun } from './run.ts';
import type { Voice } from './voice.ts';

export interface MigrateOptions extends RunOptions {
  readonly retries: number;
  readonly workers: number;
  /** whether small images, and blobs of those that come next, may be sent beside them */
  readonly ahead: boolean;
  /** the most bytes of blobs a second, in all */
  readonly bytesPerSecond: number | undefined;
  readonly progress: boolean;
}

const BLOBS = {
  ...{ lanes: 16, smallLanes: 24, smallBelow: 1024 * 1024 },
  perHost: { lanes: 10, smallLanes: 16 },
};
// Small images cost little but round trips, and need not wait until the large ones are done.
const SMALL_IMAGES = { smallLanes: 16, smallBelow: 1024 * 1024 };
const IMAGE_BACKOFF = { firstDelayMs: 1_000, maximumDelayMs: 30_000 };

/** The whole of `copy`. */
export function migrate(options: MigrateOptions): Promise<Exit> {
  return withRun(options, 'CopyReport', async (run) => {
    const { log, voice } = run;
    // These lines, and the last one, are what scripts around image-migrator look for.
    voice.say('Start to generate images tasks, please wait ...');
    const { tasks, ruleFailures } = await run.expand();
    voice.say('Start to handle images tasks, please wait ...');
    const lanes = Math.min(options.workers, tasks.length);
    const drawn = lanes > 0 && wantsLanes(voice.stream, process.env, options.progress);
    const reporter = await openReporter(voice, drawn ? lanes : 0);
    const blobs = blobCounter();
    const listeners = [blobs.listener, log.listener, reporter.listener];
    const outcomes = await copyTasks(tasks, run, options, (event) => {
      for (const listen of listeners) listen(event);
    }).finally(() => reporter.stop());
    const report = reportOf(
      { tasks, outcomes, ruleFailures, blobs: blobs.counts(), ...run.clock() },
      explain,
    );
    return run.end(report, closingLines(report, drawn), report.summary.failed === 0);
  });
}

/** Shows images while they are copied, with as many lanes as may be in flight; none means plain lines. */
async function openReporter({ stream }: Voice, lanes: number): Promise<Reporter> {
  if (lanes === 0) return showLines({ stream, explain: explainShortly });
  // The library that draws is loaded for those who see it.
  const { showLanes } = await import('../../progress/lanes.ts');
  return showLanes({ stream, lanes, explain: explainShortly });
}

function copyTasks(
  tasks: readonly Task[],
  { ends, known, looks }: Run,
  { workers, ahead, bytesPerSecond, retries, signal }: MigrateOptions,
  listener: Listener,
): Promise<readonly Outcome[]> {
  return copyAll(tasks, {
    ends,
    known,
    looks,
    images: new Queue({ lanes: workers, ...(ahead ? SMALL_IMAGES : {}) }),
    ahead,
    blobs: new Queue(BLOBS),
    bandwidth: bytesPerSecond === undefined ? undefined : bandwidthOf(bytesPerSecond),
    retries,
    delayBefore: (retry) => delayBefore(retry, IMAGE_BACKOFF),
    listener,
    signal,
  });
}
