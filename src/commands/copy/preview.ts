import { forecast } from '../../copy/forecast.ts';
import { type PlanImage, type PlanReport, planReportOf } from '../../copy/plan-report.ts';
import { counted, formatBytes } from '../../progress/format.ts';
import { printable } from '../../text/printable.ts';
import type { Exit } from '../base.ts';
import { explain, inOneLine } from '../explain.ts';
import { type RunOptions, withRun } from './run.ts';

// The longest that sizes below 1000 EB are written.
const BYTES_WIDTH = 8;

/** The whole of `copy plan`: asks both sides, and writes to neither. */
export function preview(options: RunOptions): Promise<Exit> {
  return withRun(options, 'CopyPlan', async (run) => {
    const { ends, known, looks, voice } = run;
    const { tasks, ruleFailures } = await run.expand();
    voice.say(`Looking at ${counted(tasks.length, 'image')}, please wait ...`);
    const prospects = await forecast(tasks, {
      // With the right to push, as the copy: who lacks it learns so now.
      ends,
      known,
      looks,
      signal: options.signal,
    });
    const report = planReportOf({ tasks, ruleFailures, ...prospects, ...run.clock() }, explain);
    return run.end(report, planLines(report), report.summary.failed === 0);
  });
}

function planLines({ summary, images }: PlanReport): readonly string[] {
  const { rulesFailed } = summary;
  const known = images.filter(({ error }) => error?.code !== 'INTERRUPTED');
  const lines = imageLines(known.filter(({ status }) => status !== 'unchanged'));
  if (summary.interrupted)
    return [
      ...lines,
      `Interrupted: ${known.length} of ${counted(images.length, 'image')} looked at; run the same command again`,
    ];
  return [
    ...lines,
    ...(rulesFailed > 0 ? [`${counted(rulesFailed, 'rule')} cannot be used`] : []),
    totals(summary),
  ];
}

/** One line for each image, in columns. */
function imageLines(images: readonly PlanImage[]): readonly string[] {
  const width = (texts: readonly string[]) =>
    texts.reduce((most, { length }) => Math.max(most, length), 0);
  const statuses = width(images.map(({ status }) => status));
  const sources = width(images.map(({ source }) => source));
  const destinations = width(images.map(({ destination }) => destination));
  return images.map((image) =>
    [
      `${image.status.padEnd(statuses)}  ${image.source.padEnd(sources)}`,
      `${image.destination.padEnd(destinations)}  ${restOf(image)}`,
    ].join(' -> '),
  );
}

function restOf({ bytes, notes, error }: PlanImage): string {
  if (error) return printable(inOneLine(error));
  return `${formatBytes(bytes).padStart(BYTES_WIDTH)}${notes.map((note) => ` (${printable(note)})`).join('')}`;
}

function totals(summary: PlanReport['summary']): string {
  const { images, changed, unchanged, failed } = summary;
  const { blobsToTransfer, blobsToMount, blobsExisting, bytesToTransfer } = summary;
  return [
    `${counted(images, 'image')}: ${summary.new} new, ${changed} changed, ${unchanged} unchanged, ${failed} would fail`,
    `${formatBytes(bytesToTransfer)} in ${counted(blobsToTransfer, 'blob')} to send, ${blobsToMount} to mount, ${blobsExisting} there already`,
  ].join('; ');
}
