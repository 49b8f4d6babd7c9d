import { isDisturbed, type Run } from './record.ts';
import { median, type Spread, spreadOf } from './statistics.ts';
import { OURS } from './tools.ts';

/** What the runs of one tool in one case come to: medians, and the spread of what a busy machine moves. */
export interface Row {
  readonly name: string;
  readonly axis: string | undefined;
  readonly value: number | undefined;
  readonly tool: string;
  readonly runs: number;
  readonly disturbed: number;
  readonly wallMs: Spread;
  readonly cpuMs: Spread;
  readonly treeBytes: number;
  readonly largestBytes: number;
  readonly bytesSent: number;
  readonly bytesReceived: number;
  readonly sourceRequests: number;
  readonly destinationRequests: number;
  readonly connections: number;
  readonly otherMs: number;
  /** images that were wrong or missing, in the worst run */
  readonly faults: number;
}

/** One row for each case and tool, the fastest of a case first. */
export function summarize(runs: readonly Run[]): readonly Row[] {
  const groups = Map.groupBy(runs, ({ name, axis, value, tool }) =>
    JSON.stringify([name, axis, value, tool]),
  );
  const rows = [...groups.values()].map(rowOf);
  const cases = [...Map.groupBy(rows, caseOf).values()];
  return cases.flatMap((each) =>
    each.toSorted((first, second) => first.wallMs.median - second.wallMs.median),
  );
}

/** What rows have in common that may be compared. */
export function caseOf({ name, axis, value }: Pick<Row, 'name' | 'axis' | 'value'>): string {
  return axis === undefined ? name : `${name}, ${axis} ${value}`;
}

/** How ours compares in one case: how many times the best peer needs what we need. */
export interface Ratio {
  readonly name: string;
  readonly measure: string;
  readonly peer: string;
  readonly ratio: number;
}

const MEASURES: Readonly<Record<string, (row: Row) => number>> = {
  wall: ({ wallMs }) => wallMs.median,
  CPU: ({ cpuMs }) => cpuMs.median,
  memory: ({ treeBytes }) => treeBytes,
  requests: ({ sourceRequests, destinationRequests }) => sourceRequests + destinationRequests,
};

/** A peer that did not copy everything is no measure, however fast it was. */
export function ratiosOf(rows: readonly Row[]): readonly Ratio[] {
  return [...Map.groupBy(rows, caseOf)].flatMap(([name, each]) => {
    const ours = each.find(({ tool }) => tool === OURS);
    const peers = each.filter(({ tool, faults }) => tool !== OURS && faults === 0);
    if (!ours) return [];
    return Object.entries(MEASURES).flatMap(([measure, of]): readonly Ratio[] => {
      // What is over before the first sample, or in less than a tick of CPU, reads as nothing.
      const seen = peers.filter((row) => of(row) > 0);
      const best = seen.toSorted((first, second) => of(first) - of(second))[0];
      if (!best) return [];
      return [{ name, measure, peer: best.tool, ratio: of(best) / of(ours) }];
    });
  });
}

function rowOf(runs: readonly Run[]): Row {
  const [first] = runs;
  if (!first) throw new Error('a row needs a run');
  const middle = (of: (run: Run) => number) => median(runs.map(of));
  return {
    ...{ name: first.name, axis: first.axis, value: first.value, tool: first.tool },
    runs: runs.length,
    disturbed: runs.filter(isDisturbed).length,
    wallMs: spreadOf(runs.map(({ wallMs }) => wallMs)),
    cpuMs: spreadOf(runs.map(({ cpuMs }) => cpuMs.tool)),
    treeBytes: middle(({ peakBytes }) => peakBytes.tree),
    largestBytes: middle(({ peakBytes }) => peakBytes.largest),
    bytesSent: middle(({ bytesSent }) => bytesSent),
    bytesReceived: middle(({ bytesReceived }) => bytesReceived),
    sourceRequests: middle(({ source }) => source.requests),
    destinationRequests: middle(({ destination }) => destination.requests),
    connections: middle(({ source, destination }) => source.connections + destination.connections),
    otherMs: middle(({ cpuMs }) => cpuMs.other),
    faults: Math.max(...runs.map(({ faults }) => faults.length)),
  };
}
