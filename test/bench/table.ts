import type { Spread } from './statistics.ts';
import { caseOf, type Ratio, type Row } from './summary.ts';

// Tables in Markdown, so that they can go from the terminal into a document as they are.

const COLUMNS: Readonly<Record<string, (row: Row) => string>> = {
  tool: ({ tool }) => tool,
  n: ({ runs, disturbed }) => (disturbed > 0 ? `${runs} (${disturbed} disturbed)` : `${runs}`),
  'wall s': ({ wallMs }) => seconds(wallMs),
  'CPU s': ({ cpuMs }) => seconds(cpuMs),
  'peak MB': ({ treeBytes }) => megabytes(treeBytes),
  'largest process MB': ({ largestBytes }) => megabytes(largestBytes),
  'MB sent': ({ bytesSent }) => megabytes(bytesSent),
  'MB received': ({ bytesReceived }) => megabytes(bytesReceived),
  'requests source + destination': ({ sourceRequests, destinationRequests }) =>
    `${sourceRequests} + ${destinationRequests}`,
  connections: ({ connections }) => `${connections}`,
  'other CPU s': ({ otherMs }) => (otherMs / 1000).toFixed(1),
  faults: ({ faults }) => (faults === 0 ? '' : `${faults}`),
};

/** Each case with its tools, the fastest first. */
export function casesTable(rows: readonly Row[]): string {
  return [...Map.groupBy(rows, caseOf)]
    .map(([name, each]) => `### ${name}\n\n${tableOf(COLUMNS, each)}`)
    .join('\n\n');
}

export function ratiosTable(ratios: readonly Ratio[]): string {
  const columns: Readonly<Record<string, (ratio: Ratio) => string>> = {
    case: ({ name }) => name,
    measure: ({ measure }) => measure,
    'best peer': ({ peer }) => peer,
    'best peer : ours': ({ ratio }) => ratio.toFixed(2),
  };
  return tableOf(columns, ratios);
}

function tableOf<Item>(
  columns: Readonly<Record<string, (item: Item) => string>>,
  items: readonly Item[],
): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const names = Object.keys(columns);
  const lines = items.map((item) => line(Object.values(columns).map((cell) => cell(item))));
  return [line(names), line(names.map(() => '---')), ...lines].join('\n');
}

/** The median, and from what to what where runs differ. */
function seconds({ median, least, most }: Spread): string {
  const text = (milliseconds: number) => (milliseconds / 1000).toFixed(2);
  return least === most ? text(median) : `${text(median)} (${text(least)}–${text(most)})`;
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(bytes < 10e6 ? 1 : 0);
}
