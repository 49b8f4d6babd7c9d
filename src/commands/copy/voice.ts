import type { InvalidRuleError } from '../../copy/errors.ts';
import type { CopyReport } from '../../copy/report.ts';
import { formatBytes, formatDuration } from '../../progress/format.ts';
import { type Reporter, showLines } from '../../progress/lines.ts';
import { wantsLanes } from '../../progress/terminal.ts';
import type { Wait } from '../../registry/pace.ts';
import { explain, explainShortly } from '../explain.ts';

/** Everything that `copy` says to people, on the right stream. */
export interface Voice {
  generating(): void;
  handling(): void;
  ruleFailed(failure: InvalidRuleError): void;
  waiting(wait: Wait): void;
  warn(error: unknown): void;
  /** Shows images while they are copied, with as many lanes as may be in flight. */
  progress(lanes: number): Promise<Reporter>;
  ended(report: CopyReport): void;
}

export interface VoiceOptions {
  /** the report goes to standard output alone, everything else to standard error */
  readonly json: boolean;
  readonly progress: boolean;
}

const SHOWN_LINES = 20;

export function openVoice({ json, progress }: VoiceOptions): Voice {
  const stream = json ? process.stderr : process.stdout;
  /** whether images were drawn in lanes, where a reason is cut to the width of the terminal */
  let drawn = false;
  const say = (line: string) => stream.write(`${line}\n`);
  const complain = (line: string) => process.stderr.write(`${line}\n`);
  return {
    // These lines, and the last one, are what scripts around image-migrator look for.
    generating: () => say('Start to generate images tasks, please wait ...'),
    handling: () => say('Start to handle images tasks, please wait ...'),
    ruleFailed: ({ place, message }) =>
      complain(
        `${place.file}:${place.line}:${place.column}: "${place.source}" -> "${place.destination}": ${message}`,
      ),
    waiting: ({ host, status, waitMs }) =>
      complain(`${host}: waiting ${formatDuration(waitMs)}, it answered ${status}`),
    warn: (error) => {
      const { message, hint } = explain(error);
      complain(`warning: ${message}${hint ? `; ${hint}` : ''}`);
    },
    progress: async (lanes) => {
      if (!wantsLanes(stream, process.env, progress) || lanes === 0)
        return showLines({ stream, explain: explainShortly });
      // The library that draws is loaded for those who see it.
      const { showLanes } = await import('../../progress/lanes.ts');
      drawn = true;
      return showLanes({ stream, lanes, explain: explainShortly });
    },
    ended: (report) => {
      if (drawn) for (const line of reasons(report)) say(line);
      for (const line of closingLines(report)) say(line);
      if (json) process.stdout.write(`${JSON.stringify(report, undefined, 2)}\n`);
    },
  };
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

function closingLines({ summary, images }: CopyReport): readonly string[] {
  const { copied, skipped, failed, rulesFailed, blobsTransferred, bytesTransferred, durationMs } =
    summary;
  const sent = `${formatBytes(bytesTransferred)} in ${blobsTransferred} blobs`;
  const left = images.filter(({ error }) => error?.code === 'INTERRUPTED');
  const totals = `${copied} copied, ${skipped} already there, ${failed - left.length} failed; ${sent} sent in ${formatDuration(durationMs)}`;
  if (summary.interrupted && images.length === 0)
    return ['Interrupted before there was an image to copy; run the same command again'];
  if (summary.interrupted) {
    return [
      ...some(left.map(({ source, destination }) => `left     ${source} -> ${destination}`)),
      totals,
      `Interrupted: ${images.length - left.length} of ${images.length} images are done with, ${left.length} are left; the same command goes on from here`,
    ];
  }
  return [
    totals,
    `Images(${images.length}) migration finished, ${failed} images tasks failed, ${rulesFailed} tasks generate failed`,
  ];
}
