import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AMD64, ARM64, pushImage, pushIndex } from '../support/images.ts';
import { verifyImage } from '../support/images-verify.ts';
import { startRegistry, type TestRegistry } from '../support/registry.ts';

// The main job on two small registries inside this process: scan manifests, copy what they use, look at it, copy again.

const MANIFESTS = fileURLToPath(new URL('manifests', import.meta.url));
const PROGRAM = fileURLToPath(new URL('../../bin/run.js', import.meta.url));
/** what stands in the manifests for the registry that the images come from */
const PLACEHOLDER = 'registry.example.test';

const folder = await mkdtemp(join(tmpdir(), 'migrate-images-'));
const source = await startRegistry();
const destination = await startRegistry();
try {
  await quickstart();
} finally {
  await Promise.all([source.close(), destination.close()]);
  await rm(folder, { recursive: true, force: true });
}

async function quickstart(): Promise<void> {
  say('Two registries, one with images of a small cluster');
  const pushed = await fill(source);
  console.log(`from ${source.url}, ${pushed.length} images\nto   ${destination.url}, empty`);
  await writeManifests();
  const insecure = { insecure: true };
  await write(
    'auth.json',
    JSON.stringify({ [source.host]: insecure, [destination.host]: insecure }),
  );

  say('Which images do these manifests use?');
  await program('scan', '-f', 'manifests', '-t', `${destination.host}/mirror`);
  console.log(`\nimages.json:\n${await readFile(join(folder, 'images.json'), 'utf8')}`);

  say('Copy them');
  await program('copy');

  say('Is everything there, to the byte?');
  const faults: string[] = [];
  for (const { repository, tag, digest } of pushed)
    faults.push(
      ...(await verifyImage(
        destination,
        `mirror/${repository.split('/').at(-1)}`,
        tag ?? digest,
        digest,
      )),
    );
  if (faults.length > 0) throw new Error(faults.join('\n'));
  const uploads = destination.log.count('PUT', 'upload');
  const unique = new Set(pushed.flatMap(({ blobs }) => blobs.map(({ digest }) => digest))).size;
  if (uploads !== unique) throw new Error(`${uploads} blobs were sent, but there are ${unique}`);
  console.log(
    `${pushed.length} images are identical; ${uploads} blobs were sent, each of them once`,
  );

  say('Once more: nothing has changed, so nothing moves');
  await program('copy');
  console.log('\nThat is all. README.md says how to go on with your own cluster.');
}

/** Images as a cluster has them: shared layers, one with two platforms. */
async function fill(registry: TestRegistry) {
  const place = (repository: string, tag: string) => ({ repository, tag });
  const single = [
    await pushImage(registry, {
      ...place('shop/web', '1.4'),
      layers: 3,
      seed: 'web',
      layerSize: 200_000,
    }),
    await pushImage(registry, {
      ...place('shop/web', '1.5'),
      layers: 4,
      seed: 'web',
      layerSize: 200_000,
    }),
    await pushImage(registry, {
      ...place('shop/tools', '2.1'),
      layers: 2,
      seed: 'web',
      layerSize: 200_000,
    }),
    await pushImage(registry, {
      ...place('monitoring/dashboards', '7'),
      layers: 1,
      seed: 'dashboards',
    }),
  ];
  const proxy = 'base/proxy';
  const entries = [
    {
      image: await pushImage(registry, {
        repository: proxy,
        layers: 2,
        seed: 'amd64',
        platform: AMD64,
      }),
      platform: AMD64,
    },
    {
      image: await pushImage(registry, {
        repository: proxy,
        layers: 2,
        seed: 'arm64',
        platform: ARM64,
      }),
      platform: ARM64,
    },
  ];
  return [...single, await pushIndex(registry, { ...place(proxy, '3'), entries })];
}

async function writeManifests(): Promise<void> {
  await mkdir(join(folder, 'manifests'));
  for (const name of await readdir(MANIFESTS)) {
    const text = await readFile(join(MANIFESTS, name), 'utf8');
    await write(join('manifests', name), text.replaceAll(PLACEHOLDER, source.host));
  }
}

async function write(name: string, text: string): Promise<void> {
  await writeFile(join(folder, name), text);
}

async function program(...parameters: readonly string[]): Promise<void> {
  console.log(`$ kubectl migrate-images ${parameters.join(' ')}`);
  const child = spawn(process.execPath, [PROGRAM, ...parameters], {
    cwd: folder,
    stdio: 'inherit',
    env: { ...process.env, HOME: folder, XDG_CONFIG_HOME: join(folder, '.config') },
  });
  const [code] = await once(child, 'exit');
  if (code !== 0) throw new Error(`${parameters[0]} ended with ${code}`);
}

function say(title: string): void {
  console.log(`\n== ${title}`);
}
