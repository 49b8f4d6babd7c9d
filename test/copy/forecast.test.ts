import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { CopyError, InterruptedError } from '../../src/copy/errors.ts';
import type { CopyEvent } from '../../src/copy/events.ts';
import { type Forecast, forecast } from '../../src/copy/forecast.ts';
import { blobCounter } from '../../src/copy/report.ts';
import type { Task } from '../../src/copy/task.ts';
import { type Memory, MemoryError, openMemory } from '../support/memory.ts';
import { image, index, layer, seed, task } from './corpus.ts';
import { atMost, copyTasks, statuses } from './run.ts';

function foresee(
  tasks: readonly Task[],
  { ends }: Memory,
  signal: AbortSignal = new AbortController().signal,
): Promise<Forecast> {
  return forecast(tasks, { ends, known: atMost(20), looks: atMost(8), signal });
}

function countsOf({ blobs }: Forecast) {
  const { existing, mounted, transferred, bytes } = blobs;
  return { existing, mounted, transferred, bytes };
}

function fatesIn(events: readonly CopyEvent[]) {
  const { listener, counts } = blobCounter();
  events.forEach(listener);
  return counts();
}

const WRITES = ['putBlob', 'mountBlob', 'putManifest'] as const;

describe('A forecast', () => {
  test('tells new, unchanged and changed images apart, and writes nothing', async () => {
    const memory = openMemory();
    const [old, now, same] = [image(['old']), image(['now']), image(['same'])];
    seed(memory, 'src.test/new:1', now);
    seed(memory, 'src.test/same:1', same);
    seed(memory, 'dst.test/same:1', same);
    seed(memory, 'src.test/changed:1', now);
    seed(memory, 'dst.test/changed:1', old);
    const tasks = ['new', 'same', 'changed'].map((name) =>
      task(`src.test/${name}:1`, `dst.test/${name}:1`),
    );

    const { images } = await foresee(tasks, memory);

    const bytes = now.blobs.reduce((sum, { size }) => sum + size, 0);
    assert.deepEqual(images, [
      { status: 'new', sourceDigest: now.digest, bytes, notes: [] },
      { status: 'unchanged', sourceDigest: same.digest },
      {
        ...{ status: 'changed', sourceDigest: now.digest, destinationDigest: old.digest },
        ...{ bytes: 0, notes: [] },
      },
    ]);
    for (const operation of WRITES) assert.equal(memory.count(operation), 0);
  });

  test('asks no repository for blobs that does not exist, and one that does for each once', async () => {
    const memory = openMemory();
    for (const tag of ['1', '2']) {
      seed(memory, `src.test/app:${tag}`, image(['shared', tag], tag));
      seed(memory, `src.test/other:${tag}`, image(['shared', tag], tag));
    }
    seed(memory, 'dst.test/other:0', image(['shared']));
    const tasks = ['app', 'other'].flatMap((name) =>
      ['1', '2'].map((tag) => task(`src.test/${name}:${tag}`, `dst.test/${name}:${tag}`)),
    );

    const foreseen = await foresee(tasks, memory);

    assert.equal(memory.count('hasBlob', 'dst.test/app'), 0);
    assert.equal(memory.count('hasBlob', 'dst.test/other'), 5);
    const { existing, mounted, transferred } = foreseen.blobs;
    assert.deepEqual([existing, mounted, transferred], [1, 5, 4]);
  });

  test('asks for each blob where the tags of a repository cannot be listed', async () => {
    const memory = openMemory();
    seed(memory, 'src.test/app:1', image(['one']));
    memory.interfere(({ operation }) => {
      if (operation === 'listTags') throw new MemoryError('DENIED', 'forbidden');
    });

    const { images } = await foresee([task('src.test/app:1', 'dst.test/app:1')], memory);

    assert.equal(images[0]?.status, 'new');
    assert.equal(memory.count('hasBlob', 'dst.test/app'), 2);
  });

  test('says of a foreign layer that nobody has what a copy would say', async () => {
    const memory = openMemory();
    const foreign = layer('windows', ['https://layers.example/w']);
    seed(memory, 'src.test/app:1', image([foreign, 'own']));
    const tasks = [task('src.test/app:1', 'dst.test/app:1')];

    const foreseen = await foresee(tasks, memory);
    const { events } = await copyTasks(tasks, memory.ends);

    const [prospect] = foreseen.images;
    assert.ok(prospect?.status === 'new');
    assert.match(prospect.notes.join(), /foreign layer sha256:\w+ cannot be fetched/);
    assert.deepEqual(countsOf(foreseen), fatesIn(events));
  });

  test('reads no more than the beginning of a foreign layer that the source has', async () => {
    const memory = openMemory();
    const foreign = layer('windows', ['https://layers.example/w']);
    seed(memory, 'src.test/app:1', image([foreign]));
    memory.repository('src.test/app').blobs.set(foreign.digest, foreign.bytes);
    const tasks = [task('src.test/app:1', 'dst.test/app:1')];

    const foreseen = await foresee(tasks, memory);
    const opened = memory.count('openBlob');
    const { events } = await copyTasks(tasks, memory.ends);

    assert.equal(opened, 1);
    assert.equal(foreseen.blobs.transferred, 2);
    assert.deepEqual(countsOf(foreseen), fatesIn(events));
  });

  test('says which images would fail and why, and goes on with the others', async () => {
    const memory = openMemory();
    for (const name of ['a', 'b', 'c']) seed(memory, `src.test/${name}:1`, image([name]));
    seed(memory, 'dst.test/b:0', image(['other']));
    memory.interfere(({ operation, repository }) => {
      if (repository === 'src.test/a' || (operation === 'hasBlob' && repository === 'dst.test/b'))
        throw new MemoryError('DENIED', 'forbidden');
    });
    const tasks = ['a', 'b', 'c'].map((name) => task(`src.test/${name}:1`, `dst.test/${name}:1`));

    const { images, blobs } = await foresee(tasks, memory);

    assert.deepEqual(
      images.map(({ status }) => status),
      ['failed', 'failed', 'new'],
    );
    const sides = images.flatMap((one) =>
      one.status === 'failed' && one.error instanceof CopyError ? [one.error.side] : [],
    );
    assert.deepEqual(sides, ['source', 'destination']);
    assert.equal(blobs.unique, 2);
  });

  test('that is interrupted says so of what was not looked into', async () => {
    const memory = openMemory();
    const controller = new AbortController();
    for (const name of ['a', 'b']) seed(memory, `src.test/${name}:1`, image([name]));
    memory.interfere(({ repository }) => {
      if (repository === 'src.test/b') controller.abort();
    });
    const tasks = ['a', 'b'].map((name) => task(`src.test/${name}:1`, `dst.test/${name}:1`));

    const { images } = await foresee(tasks, memory, controller.signal);

    const [, second] = images;
    assert.ok(second?.status === 'failed' && second.error instanceof InterruptedError);
  });

  test('of anything that an empty destination gets is what a copy then does', async () => {
    const shape = fc.record({
      repository: fc.constantFrom('a', 'b', 'c'),
      registry: fc.constantFrom('one.test', 'two.test'),
      children: fc.array(fc.array(fc.constantFrom('p', 'q', 'r', 's'), { maxLength: 3 }), {
        minLength: 1,
        maxLength: 3,
      }),
    });

    await fc.assert(
      fc.asyncProperty(fc.array(shape, { minLength: 1, maxLength: 8 }), async (shapes) => {
        const memory = openMemory();
        const tasks = shapes.map(({ repository, registry, children }, number) => {
          const source = `src.test/${repository}:${number}`;
          const images = children.map((layers) => image(layers));
          seed(memory, source, index(images, `${number}`));
          return task(source, `${registry}/${repository}:${number}`);
        });

        const foreseen = await foresee(tasks, memory);
        const { outcomes, events } = await copyTasks(tasks, memory.ends);

        assert.deepEqual(new Set(statuses(outcomes)), new Set(['copied']));
        assert.deepEqual(countsOf(foreseen), fatesIn(events));
      }),
      { numRuns: 60 },
    );
  });
});
