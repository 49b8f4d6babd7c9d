import { accessSync, constants, statfsSync } from 'node:fs';
import { cpus, release, tmpdir, totalmem } from 'node:os';
import { run } from '../support/process.ts';
import type { Machine } from './record.ts';

export function describeMachine(): Machine {
  const processors = cpus();
  return {
    processor: processors[0]?.model.trim() ?? 'unknown',
    cores: processors.length,
    memoryBytes: totalmem(),
    kernel: release(),
    node: process.version,
  };
}

export async function registryVersion(): Promise<string> {
  const { stdout } = await run('docker-registry', ['--version']);
  return /v?\d+\.\d+\.\d+\S*/.exec(stdout)?.[0] ?? 'unknown';
}

const MEMORY = '/dev/shm';

/** Where both registries keep their files: in memory where that is possible and large enough, so that no disk is measured. */
export function bestFolder(bytes: number): string {
  try {
    accessSync(MEMORY, constants.W_OK);
    const { bavail, bsize } = statfsSync(MEMORY);
    return bavail * bsize > bytes ? MEMORY : tmpdir();
  } catch {
    return tmpdir();
  }
}
