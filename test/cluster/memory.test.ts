import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { run } from '../support/process.ts';

const PODS = 10_000;
const PAGE = 500;
const KILOBYTES_EACH = 12;
const HEAP_MEGABYTES = 80;

function pod(index: number): object {
  const name = `pod-${index}`;
  return {
    metadata: {
      uid: name,
      name,
      namespace: 'n',
      annotations: { filler: 'x'.repeat(KILOBYTES_EACH * 1024) },
    },
    spec: { containers: [{ name: 'app', image: `image-${index % 50}:1` }] },
    status: { containerStatuses: [{ name: 'app', imageID: `image@sha256:${'1'.repeat(64)}` }] },
  };
}

it('scans ten thousand pods in less memory than they take', async () => {
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://localhost');
    const start = pathname === '/api/v1/pods' ? Number(searchParams.get('continue') ?? 0) : PODS;
    const items = Array.from({ length: Math.min(PAGE, PODS - start) }, (_, at) => pod(start + at));
    const next = start + PAGE < PODS ? { continue: `${start + PAGE}` } : {};
    response.end(JSON.stringify({ metadata: next, items }));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const folder = await mkdtemp(join(tmpdir(), 'memory-'));
  const kubeconfig = join(folder, 'config');
  const { port } = server.address() as AddressInfo;
  const content = {
    'current-context': 'large',
    clusters: [{ name: 'large', cluster: { server: `http://127.0.0.1:${port}` } }],
    contexts: [{ name: 'large', context: { cluster: 'large' } }],
  };
  await writeFile(kubeconfig, JSON.stringify(content));
  const program = `
    import { connect } from ${JSON.stringify(import.meta.resolve('../../src/cluster/connect.ts'))};
    import { scan } from ${JSON.stringify(import.meta.resolve('../../src/cluster/scan.ts'))};
    const cluster = await connect({ kubeconfig: ${JSON.stringify(kubeconfig)} });
    const { images } = await scan(cluster);
    await cluster.close();
    console.log(images.length, images.flatMap(({ usedBy }) => usedBy).length);
  `;

  // All the pods together are 120 MB as text alone, more than the heap may hold.
  const { stdout, stderr } = await run(process.execPath, [
    `--max-old-space-size=${HEAP_MEGABYTES}`,
    '--input-type=module',
    '--eval',
    program,
  ]);
  server.close();
  server.closeAllConnections();
  await rm(folder, { recursive: true });

  assert.equal(stdout, `50 ${PODS}\n`, stderr.slice(-500));
});
