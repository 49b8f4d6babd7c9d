import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import type { Task } from './task.ts';

/** How a blob came to be at the destination: it was there, was mounted from a neighbor, or its bytes were sent. */
export type BlobFate = 'existing' | 'mounted' | 'transferred';

interface Ended {
  /** how often the image was tried, the first time included */
  readonly attempts: number;
  /** what a user should know although nothing failed */
  readonly notes: readonly string[];
}

/** How one task ended. */
export type Outcome =
  | (Ended & {
      /** skipped: the destination tag already named the same digest */
      readonly status: 'copied' | 'skipped';
      readonly sourceDigest: Digest;
      readonly destinationDigest: Digest;
      /** bytes of blobs that were sent for this image */
      readonly bytes: number;
    })
  | (Ended & { readonly status: 'failed'; readonly error: unknown });

/**
 * What the engine tells while it works. Progress is absolute (an offset, never a difference), so that a
 * retry needs no arithmetic.
 */
export type CopyEvent =
  /** one more image was looked at; `images` is how many there are in all */
  | { readonly kind: 'inspected'; readonly task: Task; readonly images: number }
  /** all images were looked at: `bytes` is the size of the unique blobs that may have to be sent */
  | {
      readonly kind: 'planned';
      readonly images: number;
      readonly blobs: number;
      readonly bytes: number;
    }
  | {
      readonly kind: 'started';
      readonly task: Task;
      readonly blobs: number;
      readonly bytes: number;
    }
  | {
      readonly kind: 'moving';
      readonly task: Task;
      readonly blob: Descriptor;
      readonly offset: number;
    }
  | {
      readonly kind: 'placed';
      readonly task: Task;
      readonly blob: Descriptor;
      readonly fate: BlobFate;
    }
  /** an image failed and is tried again after `delayMs` */
  | {
      readonly kind: 'retrying';
      readonly task: Task;
      readonly attempt: number;
      readonly delayMs: number;
      readonly error: unknown;
    }
  | { readonly kind: 'finished'; readonly task: Task; readonly outcome: Outcome };

/** A reporter is a function; several are called in turn. */
export type Listener = (event: CopyEvent) => void;
