import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import { printable } from '../text/printable.ts';
import { InterruptedError, isAbort } from './errors.ts';
import { type BlobFates, fatesOf, type Need } from './fates.ts';
import { type Examine, type ExamineOptions, examiner } from './holdings.ts';
import type { Step } from './inspect.ts';
import type { Limit } from './limit.ts';
import { planner } from './plan.ts';
import type { Task } from './task.ts';
import { blobsOf } from './tree.ts';

export interface ForecastOptions extends ExamineOptions {
  /** how many images are looked into at a time */
  readonly known: Limit;
}

/** What `copy` would do with an image; `changed`: its destination names another digest at the moment. */
export type Prospect =
  | { readonly status: 'unchanged'; readonly sourceDigest: Digest }
  | {
      readonly status: 'new' | 'changed';
      readonly sourceDigest: Digest;
      /** what the destination names at the moment */
      readonly destinationDigest?: Digest;
      /** bytes that would be sent for it */
      readonly bytes: number;
      readonly notes: readonly string[];
    }
  | { readonly status: 'failed'; readonly error: unknown };

export interface Forecast {
  /** one for each task, in the order of the tasks */
  readonly images: readonly Prospect[];
  readonly blobs: BlobFates;
}

/** What was found out of a task. */
type Finding =
  | { readonly kind: 'copy'; readonly need: Need; readonly digest: Digest; readonly there?: Digest }
  | Exclude<Step, { kind: 'copy' }>;

/**
 * Says what copying would do, and does nothing of it: images and blobs are asked for on both sides, and nothing is
 * written. An image that would fail is a prospect; nothing is thrown for it.
 *
 * What is said of blobs holds for registries that mount, and as long as nobody else writes to them.
 */
export async function forecast(
  tasks: readonly Task[],
  { known, ...options }: ForecastOptions,
): Promise<Forecast> {
  const { ends, looks, signal } = options;
  const { look } = planner(tasks.length, { ends, looks, signal, listener: () => undefined });
  const examine = examiner(options);
  const share = sharedDescriptors();
  const findings = await Promise.all(
    tasks.map((task) => known(async () => findingOf(await look(task), examine, share))),
  );
  const blobs = fatesOf(findings.flatMap((one) => (one.kind === 'copy' ? [one.need] : [])));
  return { images: findings.map((one) => prospectOf(one, blobs, signal)), blobs };
}

async function findingOf(
  step: Step,
  examine: Examine,
  share: (blob: Descriptor) => Descriptor,
): Promise<Finding> {
  if (step.kind !== 'copy') return step;
  const { task, tree, existing } = step;
  const { digest } = tree.manifest.descriptor;
  const blobs = blobsOf(tree).map(share);
  try {
    const holdings = await examine(blobs, task, existing !== undefined);
    const need = { task, blobs, ...holdings };
    return { kind: 'copy', need, digest, ...(existing === undefined ? {} : { there: existing }) };
  } catch (error) {
    return { kind: 'failed', task, error };
  }
}

function prospectOf(finding: Finding, blobs: BlobFates, signal: AbortSignal): Prospect {
  if (finding.kind === 'unchanged') return { status: 'unchanged', sourceDigest: finding.digest };
  if (finding.kind === 'failed') {
    const interrupted = signal.aborted || isAbort(finding.error);
    return { status: 'failed', error: interrupted ? new InterruptedError() : finding.error };
  }
  const { need, digest, there } = finding;
  return {
    status: there === undefined ? 'new' : 'changed',
    sourceDigest: digest,
    ...(there === undefined ? {} : { destinationDigest: there }),
    bytes: blobs.bytesOf(need),
    notes: blobs.leftOf(need).map(foreignNote),
  };
}

function foreignNote({ digest, urls = [] }: Descriptor): string {
  return `foreign layer ${digest} cannot be fetched and would stay an address in the manifest: ${printable(urls.join(' '))}`;
}

/** Images share layers: one descriptor of each blob is enough, however many images are known. */
function sharedDescriptors(): (blob: Descriptor) => Descriptor {
  const known = new Map<Digest, Descriptor>();
  return (blob) => {
    const shared = known.get(blob.digest) ?? blob;
    if (shared.size !== blob.size || blob.urls || shared.urls) return blob;
    known.set(blob.digest, shared);
    return shared;
  };
}
