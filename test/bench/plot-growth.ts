import { axisFor, tickText } from './axis.ts';
import type { Results } from './record.ts';
import { type Row, summarize } from './summary.ts';
import { colorOf, curve, drawing, line, text } from './svg.ts';

// One drawing for each axis: four panels side by side, what a fresh copy and a repeated one need at each value.

interface Panel {
  readonly title: string;
  readonly of: (row: Row) => number;
}

const PANELS: readonly Panel[] = [
  { title: 'wall time, s', of: ({ wallMs }) => wallMs.median / 1000 },
  {
    title: 'requests',
    of: ({ sourceRequests, destinationRequests }) => sourceRequests + destinationRequests,
  },
  { title: 'peak memory, MB', of: ({ treeBytes }) => treeBytes / 1e6 },
  { title: 'CPU, s', of: ({ cpuMs }) => cpuMs.median / 1000 },
];
const LABELS: Readonly<Record<string, string>> = {
  images: 'images',
  workers: 'images at a time',
  rtt: 'round trip, ms',
  rate: 'Mbit/s each way',
  layer: 'size of one layer, MiB',
};
const PANEL = { width: 215, height: 150, left: 50, top: 34 };
const LEGEND = { columns: 4, width: 270, height: 20 };
const STRIDE = PANEL.left + PANEL.width + 10;

/** Draws the growth along every axis that the results hold. */
export function plotGrowth(
  all: readonly Results[],
): readonly { readonly axis: string; readonly svg: string }[] {
  const growth = all.filter(({ kind }) => kind === 'growth');
  const rows = growth.flatMap(({ runs }) => summarize(runs));
  return [...Map.groupBy(rows, ({ axis }) => axis ?? '')].map(([axis, each]) => ({
    axis,
    svg: drawAxis(axis, each),
  }));
}

function drawAxis(axis: string, rows: readonly Row[]): string {
  // No limit comes last, behind the highest of the rates.
  const rank = (value: number) =>
    axis === 'rate' && value === 0 ? Number.POSITIVE_INFINITY : value;
  const values = [...new Set(rows.map(({ value = 0 }) => value))].sort(
    (first, second) => rank(first) - rank(second),
  );
  const names = values.map((value) => (rank(value) === value ? tickText(value) : 'no limit'));
  const series = [...Map.groupBy(rows, ({ tool, name }) => `${tool}: ${name}`)];
  const panels = PANELS.map((panel, index) => {
    const drawn = drawPanel(panel, series, values, names);
    return `<g transform="translate(${index * STRIDE} 0)">${drawn}</g>`;
  });
  const legend = series.map(([name], index) => {
    const x = PANEL.left + (index % LEGEND.columns) * LEGEND.width;
    const y = PANEL.top + PANEL.height + 58 + Math.floor(index / LEGEND.columns) * LEGEND.height;
    const dash = curve(
      [
        [x, y - 4],
        [x + 20, y - 4],
      ],
      colorOf(index),
      index % 2 === 1,
    );
    return dash + text(x + 28, y, name);
  });
  const label = LABELS[axis] ?? axis;
  const middle = (PANELS.length * STRIDE) / 2;
  const below = text(middle, PANEL.top + PANEL.height + 36, label, {
    anchor: 'middle',
    className: 'quiet',
  });
  const lines = Math.ceil(series.length / LEGEND.columns);
  const height = PANEL.top + PANEL.height + 50 + lines * LEGEND.height;
  return drawing([PANELS.length * STRIDE + 10, height], `Growth by ${label}`, [
    ...panels,
    below,
    ...legend,
  ]);
}

function drawPanel(
  { title, of }: Panel,
  series: readonly (readonly [string, readonly Row[]])[],
  values: readonly number[],
  names: readonly string[],
): string {
  const { left, top, width, height } = PANEL;
  const axis = axisFor(series.flatMap(([, rows]) => rows.map(of)));
  const x = (value: number) =>
    left + (width * (values.indexOf(value) + 0.5)) / Math.max(1, values.length);
  const y = (value: number) => top + height * (1 - axis.place(value));
  const grid = axis.ticks.map(
    (tick) =>
      line([left, y(tick)], [left + width, y(tick)], 'grid') +
      text(left - 6, y(tick) + 4, tickText(tick), { anchor: 'end', className: 'quiet' }),
  );
  const ticks = values.map((value, index) =>
    text(x(value), top + height + 16, names[index] ?? '', { anchor: 'middle', className: 'quiet' }),
  );
  const curves = series.map(([, rows], index) => {
    const points = values.flatMap((value) => {
      const row = rows.find((each) => each.value === value);
      return row ? [[x(value), y(of(row))] as const] : [];
    });
    return curve(points, colorOf(index), index % 2 === 1);
  });
  const heading = text(left, top - 14, title, { className: 'title' });
  const foot = line([left, top + height], [left + width, top + height], 'axis');
  return [heading, ...grid, foot, ...ticks, ...curves].join('');
}
