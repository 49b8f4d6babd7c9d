import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { buildControlPlane, KUBERNETES_VERSION } from './control-plane-build.ts';
import { findProgram } from './process.ts';
import type { Requirement } from './requirement.ts';

const NAMES = ['etcd', 'kube-apiserver', 'kubectl'];
const POLL_MS = 500;
const MAXIMUM_POLLS = 3600;

export interface ControlPlaneBinaries {
  readonly etcd: string;
  readonly apiServer: string;
  readonly kubectl: string;
}

export interface FoundControlPlane {
  /** undefined where the requirement says that there is none */
  readonly binaries?: ControlPlaneBinaries;
  readonly requirement: Requirement;
}

/**
 * Finds a control plane: in the folder that KUBEBUILDER_ASSETS names, else in the cache, else it is built
 * there once, where there is Go. Several processes may ask at once.
 */
export async function findControlPlane(): Promise<FoundControlPlane> {
  const named = process.env['KUBEBUILDER_ASSETS'];
  if (named) return found(named, `put etcd, kube-apiserver and kubectl into ${named}`);
  const folder = cacheFolder();
  if (!isComplete(folder) && findProgram('go')) await buildOnce(folder);
  return found(
    folder,
    'set KUBEBUILDER_ASSETS to a folder with etcd, kube-apiserver and kubectl, or install Go to have them built',
  );
}

export function cacheFolder(): string {
  const cache = process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache');
  return join(cache, 'kubectl-migrate-images', `control-plane-${KUBERNETES_VERSION}`);
}

function found(folder: string, remedy: string): FoundControlPlane {
  const requirement = { name: 'a Kubernetes control plane', found: isComplete(folder), remedy };
  if (!requirement.found) return { requirement };
  const [etcd = '', apiServer = '', kubectl = ''] = NAMES.map((name) => join(folder, name));
  return { requirement, binaries: { etcd, apiServer, kubectl } };
}

function isComplete(folder: string): boolean {
  return NAMES.every((name) => existsSync(join(folder, name)));
}

/** A folder is the lock: of several processes that make it, one succeeds. */
async function buildOnce(folder: string): Promise<void> {
  const lock = `${folder}.lock`;
  await mkdir(dirname(folder), { recursive: true });
  for (let poll = 0; poll < MAXIMUM_POLLS && !isComplete(folder); poll += 1) {
    if (await take(lock)) {
      try {
        // Another process may have finished between our look and the lock.
        if (!isComplete(folder)) await build(folder);
      } finally {
        await rm(lock, { recursive: true, force: true });
      }
    } else {
      await delay(POLL_MS);
      await releaseIfAbandoned(lock);
    }
  }
}

async function build(folder: string): Promise<void> {
  process.stderr.write(`building a Kubernetes control plane once, into ${folder}\n`);
  await buildControlPlane(folder);
}

async function take(lock: string): Promise<boolean> {
  try {
    await mkdir(lock);
  } catch {
    return false;
  }
  await writeFile(join(lock, 'pid'), `${process.pid}`);
  return true;
}

async function releaseIfAbandoned(lock: string): Promise<void> {
  const owner = Number(await readFile(join(lock, 'pid'), 'utf8').catch(() => ''));
  if (owner > 0 && !isAlive(owner)) await rm(lock, { recursive: true, force: true });
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
