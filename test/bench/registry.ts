import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, open, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Certificates } from '../support/certificates.ts';
import { DISTRIBUTION } from '../support/distribution.ts';
import { findProgram } from '../support/process.ts';
import { readTraffic, type Traffic } from './access-log.ts';
import { openClient } from './client.ts';

/** Debian's `docker-registry` with a log that is read after the run, so that reading it disturbs nothing. */
export interface BenchRegistry {
  /** host and port */
  readonly host: string;
  readonly url: string;
  readonly pid: number;
  /** bytes in the log up to now, once all that was answered is in it */
  mark(): Promise<number>;
  /** what is in the log behind this mark */
  trafficSince(mark: number): Promise<Traffic>;
  close(): Promise<void>;
}

const TRIES = 2_000;
const BETWEEN_TRIES_MS = 5;

/**
 * Starts a registry on a free port of 127.0.0.1. What it holds stays in `folder` when it is closed.
 *
 * @param certificates - it speaks TLS with them
 * @throws {Error} there is no docker-registry, or it did not start; the message holds the last lines of its log
 */
export async function startRegistry(
  folder: string,
  certificates?: Certificates,
): Promise<BenchRegistry> {
  const program = findProgram('docker-registry');
  if (!program) throw new Error(`docker-registry is not here: ${DISTRIBUTION.remedy}`);
  await mkdir(join(folder, 'data'), { recursive: true });
  const configuration = join(folder, 'configuration.yml');
  const log = join(folder, 'log');
  await writeFile(
    configuration,
    JSON.stringify(configurationOf(join(folder, 'data'), certificates)),
  );
  const file = await open(log, 'w');
  const child = spawn(program, ['serve', configuration], {
    stdio: ['ignore', file.fd, file.fd],
    env: { ...process.env, OTEL_TRACES_EXPORTER: 'none' },
  });
  const exited = once(child, 'exit');
  await Promise.race([once(child, 'spawn'), exited]);
  await file.close();
  const found = await untilMatch(
    log,
    /listening on (127\.0\.0\.1:\d+)/,
    () => child.exitCode !== null,
  );
  if (!found) {
    child.kill('SIGKILL');
    const tail = (await readFile(log, 'utf8')).split('\n').slice(-10).join('\n');
    throw new Error(`docker-registry did not start:\n${tail}`);
  }
  const host = found[1] ?? '';
  const url = `${certificates ? 'https' : 'http'}://${host}`;
  return {
    ...{ host, url, pid: child.pid ?? 0 },
    mark: async () => {
      // The log is written behind the answers: a request of our own comes after all others in it.
      const marker = randomUUID();
      const client = openClient(url);
      await client.ask(`/v2/?marker=${marker}`);
      client.close();
      if (!(await untilMatch(log, new RegExp(`"GET \\S*${marker}`), () => false)))
        throw new Error('the log of docker-registry does not grow any more');
      return (await stat(log)).size;
    },
    trafficSince: async (mark) => readTraffic((await readFile(log)).subarray(mark).toString()),
    close: async () => {
      child.kill('SIGTERM');
      await exited;
    },
  };
}

async function untilMatch(
  path: string,
  pattern: RegExp,
  isOver: () => boolean,
): Promise<RegExpExecArray | undefined> {
  for (let attempt = 0; attempt < TRIES; attempt += 1) {
    const match = pattern.exec(await readEnd(path));
    if (match) return match;
    if (isOver()) return undefined;
    await wait(BETWEEN_TRIES_MS);
  }
  return undefined;
}

const END_BYTES = 16 * 1024;

async function readEnd(path: string): Promise<string> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    const start = Math.max(0, size - END_BYTES);
    const { bytesRead, buffer } = await file.read(Buffer.alloc(END_BYTES), 0, END_BYTES, start);
    return buffer.subarray(0, bytesRead).toString();
  } finally {
    await file.close();
  }
}

/** JSON, which is YAML too. */
function configurationOf(rootdirectory: string, certificates: Certificates | undefined): object {
  const { certificate, key } = certificates?.files ?? {};
  return {
    version: '0.1',
    log: { level: 'info', accesslog: { disabled: false } },
    storage: {
      filesystem: { rootdirectory },
      delete: { enabled: true },
      maintenance: { uploadpurging: { enabled: false } },
    },
    http: {
      ...{ addr: '127.0.0.1:0', secret: 'bench' },
      ...(certificates ? { tls: { certificate, key } } : {}),
    },
    validation: { manifests: { urls: { allow: ['.*'] } } },
  };
}
