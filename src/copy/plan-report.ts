import type { Forecast, Prospect } from './forecast.ts';
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

/** `conflict`: the destination tag names another digest, and must not be overwritten. */
export type PlanStatus = Prospect['status'] | 'conflict';

export interface PlanImage extends Omit<ImageReport, 'status'> {
  readonly status: PlanStatus;
}

export interface PlanReport {
  readonly apiVersion: 'migrate-images/v1';
  readonly kind: 'CopyPlan';
  readonly summary: {
    readonly images: number;
    readonly new: number;
    readonly unchanged: number;
    readonly changed: number;
    readonly conflict: number;
    readonly failed: number;
    readonly rulesFailed: number;
    readonly uniqueBlobs: number;
    readonly blobsToTransfer: number;
    readonly blobsToMount: number;
    readonly blobsExisting: number;
    readonly bytesToTransfer: number;
    readonly durationMs: number;
    readonly interrupted: boolean;
  };
  readonly images: readonly PlanImage[];
  readonly rules: readonly RuleReport[];
}

export interface PlanResults extends RunResults, Forecast {}

/** Puts what `copy` would do into the form that `-o json` prints. */
export function planReportOf(results: PlanResults, explain: Explain): PlanReport {
  const { tasks, images, blobs, ruleFailures, durationMs, interrupted } = results;
  const having = (status: PlanStatus) => images.filter((image) => image.status === status).length;
  return {
    apiVersion: 'migrate-images/v1',
    kind: 'CopyPlan',
    summary: {
      images: tasks.length,
      new: having('new'),
      unchanged: having('unchanged'),
      changed: having('changed'),
      conflict: having('conflict'),
      failed: having('failed'),
      rulesFailed: ruleFailures.length,
      uniqueBlobs: blobs.unique,
      blobsToTransfer: blobs.transferred,
      blobsToMount: blobs.mounted,
      blobsExisting: blobs.existing,
      bytesToTransfer: blobs.bytes,
      durationMs,
      interrupted,
    },
    images: reportsOf(tasks, images, (task, prospect) => planImage(task, prospect, explain)),
    rules: ruleFailures.map((failure) => ruleReport(failure, explain)),
  };
}

function planImage(task: Task, prospect: Prospect, explain: Explain): PlanImage {
  const { status } = prospect;
  const names = namesOf(task);
  const untried = { bytes: 0, attempts: 0, referrers: 0, notes: [] };
  switch (prospect.status) {
    case 'failed':
      return { ...names, status, ...untried, error: explain(prospect.error) };
    case 'unchanged': {
      const { sourceDigest } = prospect;
      return { ...names, status, sourceDigest, destinationDigest: sourceDigest, ...untried };
    }
    default: {
      const { sourceDigest, destinationDigest, bytes, notes } = prospect;
      const digests = { sourceDigest, ...(destinationDigest ? { destinationDigest } : {}) };
      return { ...names, status, ...digests, ...untried, bytes, notes };
    }
  }
}
