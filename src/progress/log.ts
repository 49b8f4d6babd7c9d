import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import type { CopyEvent, Listener, Outcome } from '../copy/events.ts';
import type { Task } from '../copy/task.ts';
import { formatReference } from '../oci/reference.ts';
import { printable } from '../text/printable.ts';
import { LogError } from './errors.ts';
import type { Explain } from './lines.ts';

type Fields = Readonly<Record<string, unknown>>;

/** A file of JSON lines, one for each thing that happened. */
export interface Log {
  readonly listener: Listener;
  /** Adds a record of one's own; the time is put before it. What it holds is written as it is: no secrets. */
  write(record: Fields): void;
  /**
   * Waits until everything is in the file; a second call does nothing more.
   *
   * @throws {LogError} lines were lost, for instance because the disk is full
   */
  close(): Promise<void>;
}

export interface LogOptions {
  readonly explain: Explain;
}

/**
 * Opens a log to append to it. A new file can be read by its owner alone, since names of images tell much
 * about a cluster.
 *
 * Records are written behind the caller's back: a slow disk never holds a copy up, and one that fails does
 * not end it.
 *
 * @throws {LogError} the file cannot be opened
 */
export async function openLog(path: string, { explain }: LogOptions): Promise<Log> {
  const stream = createWriteStream(path, { flags: 'a', mode: 0o600 });
  let failure: unknown;
  stream.on('error', (error) => {
    failure ??= error;
  });
  await once(stream, 'open').catch((error: unknown) => {
    throw new LogError(path, error);
  });
  const closed = new Promise<void>((resolve) => stream.once('close', resolve));

  function write(record: Fields): void {
    if (stream.writable)
      stream.write(`${JSON.stringify({ time: new Date().toISOString(), ...record })}\n`);
  }

  return {
    write,
    listener(event) {
      const record = recordOf(event, explain);
      if (record) write(record);
    },
    async close() {
      if (stream.writable) stream.end();
      await closed;
      if (failure) throw new LogError(path, failure);
    },
  };
}

/** What is written of an event; undefined for what would drown the rest: looks, and bytes on their way. */
function recordOf(event: CopyEvent, explain: Explain): Fields | undefined {
  switch (event.kind) {
    case 'moving':
    case 'inspected':
      return undefined;
    case 'planned':
      return { event: event.kind, images: event.images, blobs: event.blobs, bytes: event.bytes };
    case 'started':
      return { ...headOf(event), blobs: event.blobs, bytes: event.bytes };
    case 'placed':
      return {
        ...headOf(event),
        fate: event.fate,
        digest: event.blob.digest,
        mediaType: printable(event.blob.mediaType),
        size: event.blob.size,
      };
    case 'retrying': {
      const { attempt, delayMs, error } = event;
      return { ...headOf(event), attempt, delayMs, error: explain(error) };
    }
    case 'finished':
      return { ...headOf(event), ...outcomeOf(event.outcome, explain) };
  }
}

function headOf({ kind, task }: { readonly kind: string; readonly task: Task }): Fields {
  return {
    event: kind,
    source: formatReference(task.source),
    destination: formatReference(task.destination),
  };
}

/** Fields are named one by one: what an outcome gains later is not logged before somebody has looked at it. */
function outcomeOf(outcome: Outcome, explain: Explain): Fields {
  const { status, attempts, notes } = outcome;
  if (outcome.status === 'failed')
    return { status, attempts, notes, error: explain(outcome.error) };
  const { sourceDigest, destinationDigest, bytes } = outcome;
  return { status, attempts, notes, sourceDigest, destinationDigest, bytes };
}
