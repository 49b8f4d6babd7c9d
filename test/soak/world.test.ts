import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pushImage, pushIndex } from '../support/images.ts';
import { startRegistry } from '../support/registry.ts';
import { violations } from './invariant.ts';
import { type Figures, liveOnce } from './world.ts';

const WORLDS = 24;
const RUNS = 8;

test('Whatever breaks, no tag names anything missing or wrong, and a last run brings everything', {
  timeout: 240_000,
}, async (context) => {
  const all: Figures[] = [];

  for (let seed = 1; seed <= WORLDS; seed += 1) all.push(await liveOnce(seed, RUNS));

  const sum = (name: keyof Figures) => all.reduce((total, figures) => total + figures[name], 0);
  context.diagnostic(
    `${sum('runs')} runs, ${sum('interrupted')} interrupted, ${sum('faults')} faults, ${sum('steps')} steps; images: ${sum('copied')} copied, ${sum('skipped')} skipped, ${sum('failed')} failed`,
  );
  assert.ok(sum('steps') > 2_000);
  assert.ok(sum('faults') > 200);
  assert.ok(sum('failed') > 0 && sum('copied') > 100);
});

test('The invariant is seen to be broken', async (context) => {
  const registry = await startRegistry();
  context.after(() => registry.close());
  const image = await pushImage(registry, { repository: 'team/app', tag: 'v1', layers: 2 });
  const index = await pushIndex(registry, {
    ...{ repository: 'team/app', tag: 'all' },
    entries: [{ image }],
  });
  const published = new Map([
    ['team/app:v1', [image.digest]],
    ['team/app:all', [index.digest]],
  ]);
  const { store } = registry;
  const repository = store.repositories.get('team/app');
  const [layer] = image.blobs;
  assert.ok(repository && layer);
  const whole = violations(store, published);

  repository.tags.set('v1', index.digest);
  const moved = violations(store, published);
  repository.tags.delete('v1');
  repository.blobs.delete(layer.digest);
  const lacking = violations(store, published);
  repository.blobs.add(layer.digest);
  store.contents.set(layer.digest, Buffer.alloc(layer.size));
  const wrong = violations(store, published);
  repository.manifests.delete(image.digest);
  const childless = violations(store, published);

  assert.deepEqual(whole, []);
  assert.deepEqual(moved, [`team/app:v1 names ${index.digest}`]);
  assert.deepEqual(lacking, [`team/app:all: blob ${layer.digest} is missing`]);
  assert.deepEqual(wrong, [`team/app:all: blob ${layer.digest} is wrong`]);
  assert.deepEqual(childless, [`team/app:all: manifest ${image.digest} is missing`]);
});
