import { formatReference } from '../oci/reference.ts';
import type { InvalidRuleError } from './errors.ts';
import type { BlobFate, CopyEvent, Listener, Outcome } from './events.ts';
import type { Task } from './task.ts';

/** An error as reports show it. */
export interface Explanation {
  /** upper case, stable */
  readonly code: string;
  readonly message: string;
  /** what to do next */
  readonly hint?: string;
}

export type Explain = (error: unknown) => Explanation;

export interface ImageReport {
  readonly source: string;
  readonly destination: string;
  readonly status: Outcome['status'];
  readonly sourceDigest?: string;
  readonly destinationDigest?: string;
  readonly bytes: number;
  readonly attempts: number;
  readonly referrers: number;
  readonly notes: readonly string[];
  readonly error?: Explanation;
}

export interface RuleReport {
  readonly line: number;
  readonly column: number;
  readonly source: string;
  readonly destination: string;
  readonly error: Explanation;
}

export interface CopyReport {
  readonly apiVersion: 'migrate-images/v1';
  readonly kind: 'CopyReport';
  readonly summary: {
    readonly images: number;
    readonly copied: number;
    readonly skipped: number;
    readonly failed: number;
    readonly rulesFailed: number;
    readonly blobsTransferred: number;
    readonly blobsMounted: number;
    readonly blobsExisting: number;
    readonly bytesTransferred: number;
    readonly durationMs: number;
    readonly interrupted: boolean;
  };
  readonly images: readonly ImageReport[];
  readonly rules: readonly RuleReport[];
}

/** What every report of a run is made of. */
export interface RunResults {
  readonly tasks: readonly Task[];
  readonly ruleFailures: readonly InvalidRuleError[];
  readonly durationMs: number;
  readonly interrupted: boolean;
}

export interface Results extends RunResults {
  /** one for each task */
  readonly outcomes: readonly Outcome[];
  readonly blobs: BlobCounts;
}

/** Puts what happened into the form that `-o json` prints. */
export function reportOf(results: Results, explain: Explain): CopyReport {
  const { tasks, outcomes, ruleFailures, blobs, durationMs, interrupted } = results;
  const having = (status: Outcome['status']) =>
    outcomes.filter((one) => one.status === status).length;
  return {
    apiVersion: 'migrate-images/v1',
    kind: 'CopyReport',
    summary: {
      images: tasks.length,
      copied: having('copied'),
      skipped: having('skipped'),
      failed: having('failed'),
      rulesFailed: ruleFailures.length,
      blobsTransferred: blobs.transferred,
      blobsMounted: blobs.mounted,
      blobsExisting: blobs.existing,
      bytesTransferred: blobs.bytes,
      durationMs,
      interrupted,
    },
    images: reportsOf(tasks, outcomes, (task, outcome) => imageReport(task, outcome, explain)),
    rules: ruleFailures.map((failure) => ruleReport(failure, explain)),
  };
}

/** One report for each task, of what came of it. */
export function reportsOf<Result, Report>(
  tasks: readonly Task[],
  results: readonly Result[],
  report: (task: Task, result: Result) => Report,
): readonly Report[] {
  return results.flatMap((result, index) => {
    const task = tasks[index];
    return task ? [report(task, result)] : [];
  });
}

/** The two references of a task, as every report shows them. */
export function namesOf({
  source,
  destination,
}: Task): Pick<ImageReport, 'source' | 'destination'> {
  return { source: formatReference(source), destination: formatReference(destination) };
}

function imageReport(task: Task, outcome: Outcome, explain: Explain): ImageReport {
  const { status, attempts, notes } = outcome;
  const shared = { status, attempts, referrers: 0, notes };
  const names = namesOf(task);
  if (outcome.status === 'failed')
    return { ...names, ...shared, bytes: 0, error: explain(outcome.error) };
  const { sourceDigest, destinationDigest, bytes } = outcome;
  return { ...names, ...shared, sourceDigest, destinationDigest, bytes };
}

/** A rule that made no task, as every report of a run shows it. */
export function ruleReport(failure: InvalidRuleError, explain: Explain): RuleReport {
  const { line, column, source, destination } = failure.place;
  return { line, column, source, destination, error: explain(failure) };
}

export type BlobCounts = Readonly<Record<BlobFate | 'bytes', number>>;

/** Counts what became of the blobs of a run; `bytes` are those of transferred blobs. */
export function blobCounter(): { readonly listener: Listener; counts(): BlobCounts } {
  const counts = { existing: 0, mounted: 0, transferred: 0, bytes: 0 };
  const listener = (event: CopyEvent): void => {
    if (event.kind !== 'placed') return;
    counts[event.fate] += 1;
    if (event.fate === 'transferred') counts.bytes += event.blob.size;
  };
  return { listener, counts: () => ({ ...counts }) };
}
