import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { formatName } from '../../src/oci/reference.ts';
import { openRegistries } from '../../src/registry/registry.ts';
import { pushImage, pushIndex } from '../support/images.ts';
import { makeLayer } from '../support/images-layer.ts';
import { verifyImage } from '../support/images-verify.ts';
import { MemoryError, openMemory } from '../support/memory.ts';
import { startRegistry } from '../support/registry.ts';
import { type Content, digestsOf, image, index, seed, task } from './corpus.ts';
import { copyTasks, lanes, statuses } from './run.ts';

const unhandled: unknown[] = [];
const note = (reason: unknown) => void unhandled.push(reason);
before(() => process.on('unhandledRejection', note));
after(() => process.off('unhandledRejection', note));

/** An image, or an index over images, of layers that many share. */
interface Shape {
  readonly repository: string;
  readonly children: readonly (readonly string[])[];
  readonly registry: string;
}

const shape: fc.Arbitrary<Shape> = fc.record({
  repository: fc.constantFrom('a', 'b', 'c'),
  registry: fc.constantFrom('one.test', 'two.test'),
  children: fc.array(fc.array(fc.constantFrom('p', 'q', 'r', 's', 't'), { maxLength: 3 }), {
    minLength: 1,
    maxLength: 3,
  }),
});

function contentOf({ children }: Shape, label: string): Content {
  const images = children.map((layers) => image(layers));
  const [only] = images;
  return images.length === 1 && only ? only : index(images, label);
}

test('Whatever images share, all arrive, and each blob is sent once for each registry', async () => {
  const shapes = fc.array(shape, { minLength: 1, maxLength: 8 });
  const limits = fc.record({
    images: fc.integer({ min: 1, max: 4 }),
    blobs: fc.integer({ min: 1, max: 4 }),
  });

  await fc.assert(
    fc.asyncProperty(shapes, limits, async (corpus, { images, blobs }) => {
      const memory = openMemory();
      const all = corpus.map((each, number) => {
        const content = contentOf(each, `${number}`);
        const source = `src.test/${each.repository}:v${number}`;
        seed(memory, source, content);
        return {
          content,
          each,
          task: task(source, `${each.registry}/${each.repository}:v${number}`),
        };
      });

      const { plan, outcomes } = await copyTasks(
        all.map((one) => one.task),
        memory.ends,
        { images: lanes(images), blobs: lanes(blobs) },
      );

      const unique = new Set(
        all.flatMap(({ content, each }) =>
          digestsOf(content).map((digest) => `${each.registry} ${digest}`),
        ),
      );
      const uploads = memory.arrivals.filter((arrival) => arrival.startsWith('uploaded'));
      assert.deepEqual(statuses(outcomes), Array(corpus.length).fill('copied'));
      assert.equal(uploads.length, unique.size);
      assert.equal(plan?.blobs, unique.size);
      assert.equal(new Set(memory.arrivals).size, memory.arrivals.length);
      for (const {
        content,
        task: { destination },
      } of all) {
        const there = memory.repository(formatName(destination));
        assert.equal(there.tags.get(destination.tag ?? ''), content.digest);
        for (const digest of digestsOf(content)) assert.ok(there.blobs.has(digest));
      }
    }),
    { numRuns: 60 },
  );
  assert.deepEqual(unhandled, []);
});

test('Whatever fails now and then, no tag ever points at missing content, and a later run completes it', async () => {
  const shapes = fc.array(shape, { minLength: 1, maxLength: 6 });
  const odds = fc.array(fc.constantFrom('ok', 'ok', 'ok', 'transient', 'refused', 'abort'), {
    minLength: 20,
    maxLength: 60,
  });

  await fc.assert(
    fc.asyncProperty(shapes, odds, async (corpus, fates) => {
      const memory = openMemory();
      const controller = new AbortController();
      const tasks = corpus.map((each, number) => {
        const source = `src.test/${each.repository}:v${number}`;
        seed(memory, source, contentOf(each, `${number}`));
        return task(source, `${each.registry}/${each.repository}:v${number}`);
      });
      let next = 0;
      memory.interfere(() => {
        const fate = fates[next++];
        if (fate === 'transient') throw new MemoryError('UNAVAILABLE', 'transient');
        if (fate === 'refused') throw new MemoryError('DENIED', 'forbidden');
        if (fate === 'abort' && next > 30) controller.abort();
      });

      await copyTasks(tasks, memory.ends, { signal: controller.signal, retries: 1 });
      next = fates.length;
      const { outcomes } = await copyTasks(tasks, memory.ends);

      // The memory itself refuses a manifest without its parts: what has a tag is whole.
      assert.ok(outcomes.every(({ status }) => status === 'copied' || status === 'skipped'));
    }),
    { numRuns: 60 },
  );
  assert.deepEqual(unhandled, []);
});

test('The same holds between real registries', async (context) => {
  const shapes = fc.array(
    fc.record({
      repository: fc.constantFrom('team/a', 'team/b'),
      layers: fc.array(fc.constantFrom('p', 'q', 'r'), { minLength: 1, maxLength: 3 }),
      indexed: fc.boolean(),
    }),
    { minLength: 1, maxLength: 5 },
  );
  const registries = openRegistries({
    loginFor: async () => ({ origin: 'anonymous' }),
    settingsFor: () => ({ insecure: true }),
  });
  context.after(() => registries.close());

  await fc.assert(
    fc.asyncProperty(shapes, async (corpus) => {
      const [from, to] = await Promise.all([startRegistry(), startRegistry()]);
      try {
        const pushed = [];
        for (const [number, { repository, layers, indexed }] of corpus.entries()) {
          const tag = `v${number}`;
          const made = layers.map((name) => makeLayer(name, 200));
          const child = await pushImage(from, {
            ...{ repository, layers: made },
            ...(indexed ? {} : { tag }),
          });
          pushed.push(
            indexed
              ? await pushIndex(from, { repository, tag, entries: [{ image: child }] })
              : child,
          );
        }
        const tasks = pushed.map(({ repository, tag }) =>
          task(`${from.host}/${repository}:${tag}`, `${to.host}/new/${repository}:${tag}`),
        );

        const { outcomes } = await copyTasks(tasks, {
          source: (name) => registries.open(name, 'pull'),
          destination: (name) => registries.open(name, 'push'),
        });

        await to.settle();
        const unique = new Set(pushed.flatMap(({ blobs }) => blobs.map(({ digest }) => digest)));
        const uploads = to.log.select('PUT', 'upload').filter(({ status }) => status === 201);
        assert.deepEqual(statuses(outcomes), Array(corpus.length).fill('copied'));
        assert.equal(uploads.length, unique.size);
        for (const { repository, tag, digest } of pushed)
          assert.deepEqual(await verifyImage(to, `new/${repository}`, tag ?? '', digest), []);
      } finally {
        await Promise.all([from.close(), to.close()]);
      }
    }),
    { numRuns: 12 },
  );
  assert.deepEqual(unhandled, []);
});
