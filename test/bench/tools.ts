import type { Job } from './job.ts';
import { imageSyncer } from './tool-image-syncer.ts';
import { migrateImages } from './tool-migrate-images.ts';
import { skopeoSync } from './tool-skopeo-sync.ts';
import { crane, oras, regctl, skopeoCopy } from './tools-per-image.ts';

/** What a tool is to do, and where it may keep its files. */
export interface Assignment {
  readonly job: Job;
  /** host and port */
  readonly source: string;
  readonly destination: string;
  /** the registries speak TLS, with a certificate that nobody knows */
  readonly secure: boolean;
  /** images at a time */
  readonly workers: number;
  /** empty at first, and the tool's home; the second run of a pair finds it as the first left it */
  readonly folder: string;
}

/** A program with its arguments, ready to be started. */
export interface Command {
  readonly words: readonly string[];
  readonly folder: string;
  readonly environment: Readonly<Record<string, string>>;
}

/** One way to use one program. */
export interface Tool {
  readonly id: string;
  readonly program: string;
  /** arguments that make it print its version */
  readonly version: readonly string[];
  /** Writes the files that the tool wants, and gives its command. */
  prepare(assignment: Assignment): Promise<Command>;
  /** where the tool puts a repository; default: under its own name */
  placeOf?(repository: string, job: Job): string;
}

export const OURS = 'migrate-images';

/** Everything that can be compared, each at the flags that are best for it. */
export const TOOLS: readonly Tool[] = [
  migrateImages,
  skopeoSync,
  ...['sequential', 'parallel'].flatMap((way) => {
    const isParallel = way === 'parallel';
    return [skopeoCopy, crane, regctl, oras].map((make) => make(way, isParallel));
  }),
  imageSyncer,
];
