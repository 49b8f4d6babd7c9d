import type { CopyReport } from '../../copy/report.ts';
import { formatBytes, formatDuration } from '../../progress/format.ts';

const SHOWN_LINES = 20;

/**
 * What `copy` says at its end.
 *
 * @param drawn - whether images were drawn in lanes, where a reason is cut to the width of the terminal
 */
export function closingLines(report: CopyReport, drawn: boolean): readonly string[] {
  return [...(drawn ? reasons(report) : []), ...totals(report)];
}

/** Why images failed, in full: once for each reason, with the images that it stopped. */
function reasons({ images }: CopyReport): readonly string[] {
  const failed = images.filter(({ error }) => error && error.code !== 'INTERRUPTED');
  const byReason = Map.groupBy(failed, ({ error }) =>
    [`${error?.message} [${error?.code}]`, error?.hint].filter(Boolean).join('\n  '),
  );
  return [...byReason].flatMap(([reason, stopped]) => [
    reason,
    ...some(stopped.map(({ source, destination }) => `  failed   ${source} -> ${destination}`)),
  ]);
}

/** The first of many lines, so that they do not push everything else away. */
function some(lines: readonly string[]): readonly string[] {
  const rest = lines.length - SHOWN_LINES;
  return rest > 0 ? [...lines.slice(0, SHOWN_LINES), `  and ${rest} more`] : lines;
}

function totals({ summary, images }: CopyReport): readonly string[] {
  const { copied, skipped, failed, rulesFailed, blobsTransferred, bytesTransferred, durationMs } =
    summary;
  const sent = `${formatBytes(bytesTransferred)} in ${blobsTransferred} blobs`;
  const left = images.filter(({ error }) => error?.code === 'INTERRUPTED');
  const counts = `${copied} copied, ${skipped} already there, ${failed - left.length} failed; ${sent} sent in ${formatDuration(durationMs)}`;
  if (summary.interrupted && images.length === 0)
    return ['Interrupted before there was an image to copy; run the same command again'];
  if (summary.interrupted) {
    return [
      ...some(left.map(({ source, destination }) => `left     ${source} -> ${destination}`)),
      counts,
      `Interrupted: ${images.length - left.length} of ${images.length} images are done with, ${left.length} are left; the same command goes on from here`,
    ];
  }
  return [
    counts,
    `Images(${images.length}) migration finished, ${failed} images tasks failed, ${rulesFailed} tasks generate failed`,
  ];
}
