import type { CopyEvent, Listener, Outcome } from '../../src/copy/events.ts';
import type { Task } from '../../src/copy/task.ts';
import type { Descriptor } from '../../src/oci/descriptor.ts';
import { digestOf } from '../../src/oci/digest.ts';
import { parseReference } from '../../src/oci/reference.ts';

/** A blob that exists only as a descriptor; the same name gives the same digest. */
export function blobNamed(name: string, size: number): Descriptor {
  return {
    mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
    digest: digestOf(new TextEncoder().encode(name)),
    size,
  };
}

export function taskFrom(source: string, destination: string): Task {
  return { source: parseReference(source), destination: parseReference(destination) };
}

export function succeeded(status: 'copied' | 'skipped', bytes = 0): Outcome {
  const digest = digestOf(new TextEncoder().encode(status));
  return {
    status,
    attempts: 1,
    notes: [],
    sourceDigest: digest,
    destinationDigest: digest,
    bytes,
  };
}

export function failedWith(reason: string): Outcome {
  return { status: 'failed', attempts: 4, notes: [], error: new Error(reason) };
}

export function explain(error: unknown): string {
  return error instanceof Error ? error.message : 'unknown';
}

/** An image of a pretended run: its task and its own blobs; every image also has the blob `base`. */
export interface PretendedImage {
  readonly task: Task;
  readonly blobs: readonly Descriptor[];
  readonly failure?: string;
}

const NAMES = [
  'nginx:1.27',
  'quay.io/prometheus/node-exporter:v1.8.2',
  'ghcr.io/an-organization-with-a-long-name/with-a-project/and-a-very-long-image-name:2024.11.24-rc.1',
  'registry.k8s.io/ingress-nginx/controller:v1.11.3',
  'gcr.io/distroless/static-debian12@sha256:41972110a1c1a5c0b6adb283e8aa092c43c31f7c5d79b8656fbffff2c3e61f05',
  'busybox:1.36',
  'docker.io/grafana/grafana:11.3.0',
];
const HOST = 'swr.cn-north-4.myhuaweicloud.com/production';

/** Images whose names are of all lengths; the fifth fails. */
export function pretendedImages(count: number): readonly PretendedImage[] {
  return Array.from({ length: count }, (_, index) => {
    const name = NAMES[index % NAMES.length] ?? 'busybox';
    const path = parseReference(name).repository.split('/').at(-1);
    return {
      task: taskFrom(name, `${HOST}/${path}:${index}`),
      blobs: [0, 1, 2].map((layer) =>
        blobNamed(`${index}/${layer}`, 3_000_000 + index * 1_700_000 * (layer + 1)),
      ),
      ...(index === 4
        ? { failure: 'swr.cn-north-4.myhuaweicloud.com refused the manifest: 无权限 (DENIED)' }
        : {}),
    };
  });
}

export interface PretendOptions {
  readonly images: readonly PretendedImage[];
  readonly workers: number;
  readonly steps: number;
  readonly pause: () => Promise<void>;
}

/** Tells a listener the story of a run, as the engine would. */
export async function pretend(listener: Listener, options: PretendOptions): Promise<void> {
  const { images, pause } = options;
  const tell = (event: CopyEvent) => listener(event);
  for (const { task } of images) {
    tell({ kind: 'inspected', task, images: images.length });
    await pause();
  }
  const blobs = images.flatMap((image) => image.blobs);
  const bytes = blobs.reduce((sum, { size }) => sum + size, 0);
  tell({ kind: 'planned', images: images.length, blobs: blobs.length, bytes });
  const waiting = images.values();
  const worker = async () => {
    for (const image of waiting) await pretendImage(image, tell, options);
  };
  await Promise.all(Array.from({ length: options.workers }, worker));
}

async function pretendImage(
  { task, blobs, failure }: PretendedImage,
  tell: Listener,
  { steps, pause }: PretendOptions,
): Promise<void> {
  const bytes = blobs.reduce((sum, { size }) => sum + size, 0);
  tell({ kind: 'started', task, blobs: blobs.length, bytes });
  await pause();
  for (const blob of blobs) {
    for (let step = 1; step <= steps; step += 1) {
      tell({ kind: 'moving', task, blob, offset: Math.floor((blob.size * step) / steps) });
      await pause();
    }
    tell({ kind: 'placed', task, blob, fate: 'transferred' });
  }
  if (failure) {
    tell({ kind: 'retrying', task, attempt: 1, delayMs: 1000, error: new Error(failure) });
    for (let step = 0; step < steps; step += 1) await pause();
  }
  const outcome = failure ? failedWith(failure) : succeeded('copied', bytes);
  tell({ kind: 'finished', task, outcome });
}
