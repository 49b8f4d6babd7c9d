#!/usr/bin/env node
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';

const MINIMUM = [22, 19];

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major > MINIMUM[0] || (major === MINIMUM[0] && minor >= MINIMUM[1])) await start();
else restart();

async function start() {
  // A young generation that does not grow keeps the peak of a copy 15 MB lower. It has to be said before the first
  // modules make it grow.
  setFlagsFromString('--semi-space-growth-factor=1');
  setFlagsFromString('--heap-growing-percent=25');
  // A reader that goes away (`| head`) ends the output, not the work.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
  const { execute } = await import('@oclif/core/execute');
  // Not awaited: with standard output closed early, node would complain of a promise that never settles.
  void execute({ dir: import.meta.url });
}

// A checkout pins its own node, so that it works also where the system's is too old.
function restart() {
  const pinned = fileURLToPath(new URL('../node_modules/node/bin/node', import.meta.url));
  if (!existsSync(pinned)) {
    console.error(
      `error: Node.js ${MINIMUM.join('.')} or newer is needed; this is ${process.version}`,
    );
    process.exit(2);
  }
  const child = spawn(pinned, process.argv.slice(1), { stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
    process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => process.exit(signal ? 130 : (code ?? 1)));
}
