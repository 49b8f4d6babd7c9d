import type { Results } from './record.ts';
import { type Ratio, ratiosOf, summarize } from './summary.ts';
import { bar, colorOf, drawing, line, text } from './svg.ts';

const LABELS_WIDTH = 340;
const BARS_WIDTH = 460;
const ROW_HEIGHT = 20;
const TOP = 60;
/** beyond these a bar is cut, and its number says how far it would go */
const LOWEST = 1 / 8;
const HIGHEST = 32;
const TICKS = [0.125, 0.25, 0.5, 1, 2, 4, 8, 16, 32];

/** Draws how the best peer of each case compares: to the right of 1 it needs more than this project, to the left less. */
export function plotRatios(all: readonly Results[], measure: string): string | undefined {
  const bars = all
    .filter(({ kind }) => kind === 'comparison')
    .flatMap((results) =>
      ratiosOf(summarize(results.runs))
        .filter((ratio) => ratio.measure === measure)
        .map((ratio) => ({ ratio, link: linkOf(results) })),
    );
  if (bars.length === 0) return undefined;
  const bottom = TOP + bars.length * ROW_HEIGHT;
  const grid = TICKS.map((tick) => {
    const x = place(tick);
    const label = tick < 1 ? `1/${1 / tick}` : `${tick}`;
    return (
      line([x, TOP - 8], [x, bottom], tick === 1 ? 'axis' : 'grid') +
      text(x, TOP - 14, label, { anchor: 'middle', className: 'quiet' })
    );
  });
  const title = `${measure}: best peer, measured against ours as 1`;
  const rows = bars.map(({ ratio, link }, index) => row(ratio, link, TOP + index * ROW_HEIGHT));
  return drawing([LABELS_WIDTH + BARS_WIDTH + 160, bottom + 10], title, [
    text(8, 20, title, { className: 'title' }),
    ...grid,
    ...rows,
  ]);
}

function row({ name, peer, ratio }: Ratio, link: string, y: number): string {
  const one = place(1);
  const end = place(ratio);
  const color = colorOf(ratio >= 1 ? 0 : 1);
  const size = [Math.max(1, Math.abs(end - one)), ROW_HEIGHT - 6] as const;
  return [
    text(LABELS_WIDTH - 10, y + 13, `${name}, ${link}`, { anchor: 'end' }),
    bar(Math.min(one, end), y + 2, size, color),
    text(Math.max(one, end) + 6, y + 13, `${ratio.toFixed(2)} (${peer})`, { className: 'quiet' }),
  ].join('');
}

function place(ratio: number): number {
  const kept = Math.min(HIGHEST, Math.max(LOWEST, ratio));
  return LABELS_WIDTH + (BARS_WIDTH * Math.log2(kept / LOWEST)) / Math.log2(HIGHEST / LOWEST);
}

function linkOf({ link, scale }: Results): string {
  const { roundTripMs, bitsPerSecond, tls } = link;
  const rate = bitsPerSecond === undefined ? [] : [`${bitsPerSecond / 1e6} Mbit/s`];
  const parts = roundTripMs > 0 ? [`${roundTripMs} ms`, ...rate] : rate;
  const where = parts.length > 0 ? parts.join(' and ') : 'loopback';
  return `${scale}, ${where}${tls ? ', TLS' : ''}`;
}
