import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import type { Ends } from '../../src/copy/ends.ts';
import type { CopyEvent } from '../../src/copy/events.ts';
import { openRegistries, type Registries } from '../../src/registry/registry.ts';
import { pushImage } from '../support/images.ts';
import { KINDS, pushTags, pushUnknownType } from '../support/images-kinds.ts';
import { makeLayer } from '../support/images-layer.ts';
import { verifyImage } from '../support/images-verify.ts';
import { startRegistry, type TestRegistry } from '../support/registry.ts';
import { task } from './corpus.ts';
import { copyTasks, statuses } from './run.ts';

describe('Over the wire', () => {
  let from: TestRegistry;
  let to: TestRegistry;
  let registries: Registries;
  let ends: Ends;

  const between = (source: string, destination: string) =>
    task(`${from.host}/${source}`, `${to.host}/${destination}`);

  beforeEach(async () => {
    [from, to] = await Promise.all([startRegistry(), startRegistry()]);
    registries = openRegistries({
      loginFor: async () => ({ origin: 'anonymous' }),
      settingsFor: () => ({ insecure: true }),
    });
    ends = {
      source: (name) => registries.open(name, 'pull'),
      destination: (name) => registries.open(name, 'push'),
    };
  });
  afterEach(async () => {
    await registries.close();
    await Promise.all([from.close(), to.close()]);
  });

  for (const [kind, push] of Object.entries({ ...KINDS, 'an unknown type': pushUnknownType }))
    test(`${kind} arrives as it was`, async () => {
      const image = await push(from, { repository: 'team/app', tag: 'v1' });

      const { outcomes } = await copyTasks([between('team/app:v1', 'new/app:v1')], ends);

      assert.deepEqual(statuses(outcomes), ['copied']);
      assert.deepEqual(await verifyImage(to, 'new/app', 'v1', image.digest), []);
    });

  test('A second run makes one HEAD at each side for each image', async () => {
    const images = await pushTags(from, 'team/app', 5);
    const tasks = images.map(({ tag }) => between(`team/app:${tag}`, `new/app:${tag}`));
    await copyTasks(tasks, ends);
    for (const registry of [from, to]) {
      await registry.settle();
      registry.log.clear();
    }

    const { outcomes } = await copyTasks(tasks, ends);

    await Promise.all([from.settle(), to.settle()]);
    const heads = Array(5).fill('HEAD manifest 200');
    assert.deepEqual(statuses(outcomes), Array(5).fill('skipped'));
    assert.deepEqual(from.log.summary(), heads);
    assert.deepEqual(to.log.summary(), heads);
  });

  test('Each unique blob is fetched once, whatever number of repositories needs it', async () => {
    const layers = [makeLayer('base'), makeLayer('middle')];
    for (const name of ['a', 'b', 'c'])
      await pushImage(from, { repository: `team/${name}`, tag: 'v1', layers });
    const tasks = ['a', 'b', 'c'].map((name) => between(`team/${name}:v1`, `new/${name}:v1`));

    const { outcomes } = await copyTasks(tasks, ends);

    await Promise.all([from.settle(), to.settle()]);
    const fetched = from.log.select('GET', 'blob').map(({ path }) => path.split('/').at(-1));
    assert.deepEqual(statuses(outcomes), ['copied', 'copied', 'copied']);
    assert.equal(fetched.length, 5);
    assert.equal(new Set(fetched).size, 5);
    // Four from next door, and one to find out that this registry mounts at all.
    assert.equal(to.log.select('POST', 'mount').filter(({ status }) => status === 201).length, 5);
  });

  test('Blobs that the destination claims and lacks are sent after all', async () => {
    const image = await pushImage(from, { repository: 'team/app', tag: 'v1' });
    to.faults.add({ method: 'HEAD', class: 'blob', answer: { status: 200 } });

    const { outcomes } = await copyTasks([between('team/app:v1', 'new/app:v1')], ends);

    assert.deepEqual(statuses(outcomes), ['copied']);
    assert.deepEqual(await verifyImage(to, 'new/app', 'v1', image.digest), []);
  });

  test('A blob whose bytes are broken on the way is not committed, but fetched again', async () => {
    const image = await pushImage(from, { repository: 'team/app', tag: 'v1', layers: 1 });
    from.faults.add({ method: 'GET', class: 'blob', corruptAt: 40, times: 1 });

    const { outcomes } = await copyTasks([between('team/app:v1', 'new/app:v1')], ends);

    assert.deepEqual(statuses(outcomes), ['copied']);
    assert.deepEqual(await verifyImage(to, 'new/app', 'v1', image.digest), []);
  });

  test('An interruption in the middle of an upload cancels its session and sets no tag', async () => {
    const layers = [makeLayer('large', 3_000_000)];
    await pushImage(from, { repository: 'team/app', tag: 'v1', layers });
    const controller = new AbortController();
    const onEvent = (event: CopyEvent) => {
      if (event.kind === 'moving' && event.blob.size > 1_000_000) controller.abort();
    };

    const { outcomes } = await copyTasks([between('team/app:v1', 'new/app:v1')], ends, {
      ...{ signal: controller.signal, onEvent },
    });

    await to.settle();
    const [outcome] = outcomes;
    assert.ok(outcome?.status === 'failed');
    assert.equal((outcome.error as Error).name, 'InterruptedError');
    assert.equal(to.store.uploads.size, 0);
    assert.equal(to.store.repositories.get('new/app')?.tags.size ?? 0, 0);
  });

  test('An image that is not there is a failure that names the source', async () => {
    const { outcomes } = await copyTasks([between('team/none:v1', 'new/none:v1')], ends);

    const [outcome] = outcomes;
    assert.ok(outcome?.status === 'failed');
    assert.match(
      (outcome.error as Error).message,
      /^source 127\.0\.0\.1:\d+\/team\/none:v1: .* answered 404 to GET/,
    );
  });
});
