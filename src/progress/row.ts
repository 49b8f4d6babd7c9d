import { shortDigest } from '../oci/digest.ts';
import { formatReference } from '../oci/reference.ts';
import type { FlightView } from './flight.ts';
import { formatBar, formatBytes, formatPercent, formatRate, formatTimeLeft } from './format.ts';
import type { TallyView } from './tally.ts';
import { column, fitEnd, fitReference } from './width.ts';

const GAP = '  ';
const SHORTEST_LABEL = 18;
const LONGEST_LABEL = 72;
const SHORTEST_BAR = 10;
const LONGEST_BAR = 32;
const DIGEST_WIDTH = 12;
const LEFT_WIDTH = 'eta 23h 55m'.length;
/** of bytes, percent, rate and time left */
const FACT_WIDTHS = [19, 4, 10, LEFT_WIDTH];

/** What is known of bytes on their way, of one image or of all of them. */
interface Pace {
  readonly moved: number;
  readonly total: number;
  readonly rate: number | undefined;
  readonly millisecondsLeft: number | undefined;
}

/** One image in flight as one row of at most `width` columns, aligned with the other rows. */
export function laneRow(flight: FlightView, width: number): string {
  const { retry, moving, placed, blobs } = flight;
  const label = formatReference(flight.task.source);
  if (retry) {
    const facts = `retry ${retry.attempt} in ${formatTimeLeft(retry.millisecondsLeft)}`;
    return alignedRow({ label, fit: fitReference, facts: [facts] }, width);
  }
  const [blob] = moving;
  if (!blob) {
    const facts = `checking, ${placed} of ${blobs} blobs there`;
    return alignedRow({ label, fit: fitReference, facts: [facts] }, width);
  }
  // With the digest of a slow layer, the log tells the rest.
  const digest = shortDigest(blob.digest);
  const facts = factsOf(flight, timeLeft(flight));
  return alignedRow({ label, fit: fitReference, digest, facts, pace: flight }, width);
}

/** The whole run as one row of at most `width` columns, aligned with the lanes. */
export function totalRow(view: TallyView, width: number): string {
  const { planning, inspected, images, moved } = view;
  if (planning && moved === 0) return fitEnd(`planning ${inspected}/${images}`, width);
  const done = view.copied + view.skipped + view.failed;
  const failed = view.failed > 0 ? `, ${view.failed} failed` : '';
  const label = `${done} of ${images} images${failed}`;
  if (view.total === 0) return fitEnd(label, width);
  const left = timeLeft(view);
  const facts = planning ? factsSoFar(view) : factsOf(view, left && `eta ${left}`);
  return alignedRow({ label, fit: fitEnd, facts, pace: view }, width);
}

/** What is not planned to its end has no total yet, and so no share and no time left. */
function factsSoFar({ moved, rate, inspected }: TallyView): readonly string[] {
  const bytes = `${formatBytes(moved).padStart(8)} so far`.padEnd(FACT_WIDTHS[0] ?? 0);
  const looked = `${inspected} seen`;
  return [bytes, '    ', rateOf(rate), looked.padStart(LEFT_WIDTH)];
}

/** The columns at the end of a row; the last ones are the first to go where a terminal is narrow. */
function factsOf({ moved, total, rate }: Pace, left: string): readonly string[] {
  return [
    `${formatBytes(moved).padStart(8)} / ${formatBytes(total).padStart(8)}`,
    formatPercent(moved, total),
    rateOf(rate),
    left.padStart(LEFT_WIDTH),
  ];
}

function rateOf(rate: number | undefined): string {
  return (rate === undefined ? '' : formatRate(rate)).padStart(10);
}

interface Cells {
  readonly label: string;
  readonly fit: (text: string, width: number) => string;
  readonly digest?: string;
  readonly facts: readonly string[];
  readonly pace?: Pace;
}

function alignedRow({ label, fit, digest = '', facts, pace }: Cells, width: number): string {
  const count = [4, 3, 2, 1].find((some) => width - factsWidth(some) >= SHORTEST_LABEL) ?? 0;
  const room = width - factsWidth(count);
  const middle = middleOf(digest, pace, room - LONGEST_LABEL - GAP.length);
  const fact = fitEnd(facts.slice(0, count).join(' '), factsWidth(count) - GAP.length);
  return [column(label, middle.length > 0 ? LONGEST_LABEL : room, fit), ...middle, fact]
    .join(GAP)
    .trimEnd();
}

/** The cells that only wide terminals have: the digest and the bar. */
function middleOf(digest: string, pace: Pace | undefined, room: number): readonly string[] {
  if (room < SHORTEST_BAR) return [];
  const hasDigest = room >= DIGEST_WIDTH + GAP.length + SHORTEST_BAR;
  const width = Math.min(LONGEST_BAR, hasDigest ? room - DIGEST_WIDTH - GAP.length : room);
  const bar = pace ? formatBar(pace.moved, pace.total, width) : ' '.repeat(width);
  return hasDigest ? [digest.padEnd(DIGEST_WIDTH), bar] : [bar];
}

/** with the gap before them */
function factsWidth(count: number): number {
  if (count === 0) return 0;
  const widths = FACT_WIDTHS.slice(0, count);
  return widths.reduce((sum, width) => sum + width + 1, GAP.length - 1);
}

function timeLeft({ millisecondsLeft }: Pace): string {
  return millisecondsLeft ? formatTimeLeft(millisecondsLeft) : '';
}
