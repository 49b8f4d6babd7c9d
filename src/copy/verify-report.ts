import {
  type Explain,
  type ImageReport,
  namesOf,
  type RuleReport,
  type RunResults,
  reportsOf,
  ruleReport,
} from './report.ts';
import type { Task } from './task.ts';
import type { Verdict, Verification } from './verify.ts';

export interface VerifiedImage extends Omit<ImageReport, 'status' | 'bytes' | 'attempts'> {
  readonly status: Verdict['status'];
}

export interface VerifyReport {
  readonly apiVersion: 'migrate-images/v1';
  readonly kind: 'VerifyReport';
  readonly summary: {
    readonly images: number;
    readonly identical: number;
    readonly converted: number;
    readonly missing: number;
    readonly different: number;
    readonly incomplete: number;
    readonly failed: number;
    readonly rulesFailed: number;
    readonly blobsChecked: number;
    readonly bytesRead: number;
    readonly durationMs: number;
    readonly interrupted: boolean;
  };
  readonly images: readonly VerifiedImage[];
  readonly rules: readonly RuleReport[];
}

export interface VerifyResults extends RunResults, Verification {}

/** Puts what was found into the form that `-o json` prints. */
export function verifyReportOf(results: VerifyResults, explain: Explain): VerifyReport {
  const { tasks, verdicts, ruleFailures, blobsChecked, bytesRead, durationMs, interrupted } =
    results;
  const having = (status: Verdict['status']) =>
    verdicts.filter((verdict) => verdict.status === status).length;
  return {
    apiVersion: 'migrate-images/v1',
    kind: 'VerifyReport',
    summary: {
      images: tasks.length,
      identical: having('identical'),
      converted: having('converted'),
      missing: having('missing'),
      different: having('different'),
      incomplete: having('incomplete'),
      failed: having('failed'),
      rulesFailed: ruleFailures.length,
      blobsChecked,
      bytesRead,
      durationMs,
      interrupted,
    },
    images: reportsOf(tasks, verdicts, (task, verdict) => verifiedImage(task, verdict, explain)),
    rules: ruleFailures.map((failure) => ruleReport(failure, explain)),
  };
}

function verifiedImage(task: Task, verdict: Verdict, explain: Explain): VerifiedImage {
  const { status } = verdict;
  const faults = verdict.status === 'incomplete' ? verdict.faults : [];
  return {
    ...namesOf(task),
    status,
    ...('sourceDigest' in verdict ? { sourceDigest: verdict.sourceDigest } : {}),
    ...('destinationDigest' in verdict ? { destinationDigest: verdict.destinationDigest } : {}),
    referrers: 0,
    notes: [...faults, ...verdict.notes],
    ...('error' in verdict ? { error: explain(verdict.error) } : {}),
  };
}
