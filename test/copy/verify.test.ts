import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CopyError, InterruptedError } from '../../src/copy/errors.ts';
import type { Task } from '../../src/copy/task.ts';
import { type Verdict, type Verification, verify } from '../../src/copy/verify.ts';
import { type Memory, MemoryError, openMemory } from '../support/memory.ts';
import { type Content, digestsOf, image, index, layer, seed, task } from './corpus.ts';
import { atMost } from './run.ts';

interface Options {
  readonly deep?: boolean;
  readonly signal?: AbortSignal;
  readonly listener?: (task: Task, verdict: Verdict) => void;
}

function check(
  tasks: readonly Task[],
  memory: Memory,
  { deep = false, signal = new AbortController().signal, listener = () => undefined }: Options = {},
): Promise<Verification> {
  const end = async (name: Task['source']) =>
    memory.repository(`${name.registry}/${name.repository}`);
  return verify(tasks, {
    ends: { source: (name) => end(name), destination: (name) => end(name) },
    ...{ known: atMost(20), looks: atMost(8), reads: atMost(2) },
    ...{ deep, signal, listener },
  });
}

const ONE = task('src.test/app:1', 'dst.test/app:1');

/** A copy of an image, and the registries that it lies in. */
function openCopy(content: Content): Memory {
  const memory = openMemory();
  seed(memory, 'src.test/app:1', content);
  seed(memory, 'dst.test/app:1', content);
  return memory;
}

function faultsOf({ verdicts }: Verification): readonly string[] {
  return verdicts.flatMap((verdict) => (verdict.status === 'incomplete' ? verdict.faults : []));
}

function statusesOf({ verdicts }: Verification): readonly string[] {
  return verdicts.map(({ status }) => status);
}

describe('A verification', () => {
  test('finds identical what is so, asks for each part once, and writes nothing', async () => {
    const memory = openMemory();
    const shared = image(['base']);
    const tasks = ['1', '2', '3'].map((tag) => {
      const content = index([shared, image(['base', tag])], tag);
      for (const side of ['src', 'dst']) seed(memory, `${side}.test/app:${tag}`, content);
      return task(`src.test/app:${tag}`, `dst.test/app:${tag}`);
    });

    const found = await check(tasks, memory);

    assert.deepEqual(statusesOf(found), ['identical', 'identical', 'identical']);
    assert.equal(memory.count('statBlob', 'dst.test/app'), 8);
    assert.equal(found.blobsChecked, 8);
    assert.equal(memory.count('fetchManifest', 'dst.test/app'), 7);
    assert.equal(memory.count('fetchManifest', 'src.test/app'), 0);
    assert.equal(memory.count('openBlob'), 0);
    for (const operation of ['putBlob', 'putManifest', 'mountBlob'] as const)
      assert.equal(memory.count(operation), 0);
  });

  test('tells a missing tag from one that names something else', async () => {
    const memory = openCopy(image(['a']));
    const other = image(['b']);
    seed(memory, 'src.test/app:2', image(['c']));
    seed(memory, 'dst.test/app:2', other);
    seed(memory, 'src.test/app:3', image(['d']));
    const tasks = ['2', '3'].map((tag) => task(`src.test/app:${tag}`, `dst.test/app:${tag}`));

    const { verdicts } = await check(tasks, memory);

    assert.deepEqual(verdicts, [
      {
        ...{ status: 'different', sourceDigest: image(['c']).digest },
        ...{ destinationDigest: other.digest, notes: [] },
      },
      { status: 'missing', sourceDigest: image(['d']).digest, notes: [] },
    ]);
  });

  test('names each part that is missing or has another size', async () => {
    const [gone, lost, cut] = [layer('gone'), layer('lost'), layer('cut')];
    const child = image([gone]);
    const memory = openCopy(index([child, image([lost, cut])]));
    const { blobs, manifests } = memory.repository('dst.test/app');
    manifests.delete(child.digest);
    blobs.delete(lost.digest);
    blobs.set(cut.digest, cut.bytes.subarray(1));

    const found = await check([ONE], memory);

    const [verdict] = found.verdicts;
    assert.deepEqual(faultsOf(found), [
      `manifest ${child.digest} is missing`,
      `blob ${lost.digest} is missing`,
      `blob ${cut.digest} has ${cut.size - 1} bytes instead of ${cut.size}`,
    ]);
    assert.ok(verdict?.status === 'incomplete');
    assert.match(
      verdict.error.message,
      /^destination: manifest sha256:\w+ is missing, and 2 more$/,
    );
    assert.match(verdict.error.hint, /^delete dst\.test\/app:1 and what is damaged there/);
  });

  test('takes a manifest that is named but cannot be had for incomplete', async () => {
    const content = image(['a']);
    const memory = openCopy(content);
    memory.interfere(({ operation, repository }) => {
      if (operation === 'fetchManifest' && repository === 'dst.test/app')
        throw new MemoryError('DENIED', 'forbidden');
    });

    const found = await check([ONE], memory);

    assert.deepEqual(faultsOf(found), [
      `manifest ${content.digest} cannot be fetched: refused with DENIED`,
    ]);
  });

  test('reads bytes only with --deep, each blob once for each registry', async () => {
    const memory = openMemory();
    const content = image(['a', 'b']);
    const places = ['one.test/x', 'one.test/y', 'two.test/x'];
    seed(memory, 'src.test/app:1', content);
    for (const place of places) seed(memory, `${place}:1`, content);
    const tasks = places.map((place) => task('src.test/app:1', `${place}:1`));

    const found = await check(tasks, memory, { deep: true });

    const bytes = content.blobs.reduce((sum, { size }) => sum + size, 0);
    assert.deepEqual(statusesOf(found), ['identical', 'identical', 'identical']);
    assert.equal(memory.count('openBlob'), 2 * digestsOf(content).length);
    assert.equal(memory.count('openBlob', 'src.test/app'), 0);
    assert.equal(found.bytesRead, 2 * bytes);
  });

  test('finds bytes that are not those of the digest with --deep, and not without', async () => {
    const bad = layer('bad');
    const memory = openCopy(image([bad, 'good']));
    const flipped = Uint8Array.from(bad.bytes, (byte, at) => (at === 3 ? byte ^ 1 : byte));
    memory.repository('dst.test/app').blobs.set(bad.digest, flipped);

    const shallow = await check([ONE], memory);
    const deep = await check([ONE], memory, { deep: true });

    assert.deepEqual(statusesOf(shallow), ['identical']);
    assert.equal(faultsOf(deep).length, 1);
    assert.match(faultsOf(deep).join(), new RegExp(`^blob ${bad.digest} holds other bytes: `));
  });

  test('notes a foreign layer that is not there, and finds no fault in it', async () => {
    const foreign = layer('windows', ['https://layers.example/w']);
    const memory = openCopy(image([foreign, 'own']));

    const found = await check([ONE], memory, { deep: true });

    assert.deepEqual(statusesOf(found), ['identical']);
    assert.match(
      found.verdicts[0]?.notes.join() ?? '',
      /^foreign layer sha256:\w+ is not at the destination: .* https:\/\/layers\.example\/w$/,
    );
  });

  test('says on which side something could not be found out, and finds no fault for it', async () => {
    const memory = openMemory();
    for (const name of ['gone', 'closed', 'busy', 'fine']) {
      if (name !== 'gone') seed(memory, `src.test/${name}:1`, image([name]));
      seed(memory, `dst.test/${name}:1`, image([name]));
    }
    memory.interfere(({ operation, repository }) => {
      if (operation === 'resolve' && repository === 'dst.test/closed')
        throw new MemoryError('DENIED', 'forbidden');
      if (operation === 'statBlob' && repository === 'dst.test/busy')
        throw new MemoryError('UNAVAILABLE', 'transient');
    });
    const tasks = ['gone', 'closed', 'busy', 'fine'].map((name) =>
      task(`src.test/${name}:1`, `dst.test/${name}:1`),
    );

    const { verdicts } = await check(tasks, memory);

    const sides = verdicts.map((verdict) =>
      verdict.status === 'failed' && verdict.error instanceof CopyError
        ? verdict.error.side
        : verdict.status,
    );
    assert.deepEqual(sides, ['source', 'destination', 'destination', 'identical']);
  });

  test('compares a source that is named by its digest with what the destination has', async () => {
    const content = image(['a']);
    const memory = openCopy(content);
    const pinned = task(`src.test/app@${content.digest}`, `dst.test/app@${content.digest}`);

    const found = await check([pinned], memory);

    assert.deepEqual(statusesOf(found), ['identical']);
    assert.equal(memory.count('resolve', 'src.test/app'), 0);
  });

  test('tells of each image as soon as it is known', async () => {
    const memory = openCopy(image(['a']));
    const told: string[] = [];

    await check([ONE], memory, { listener: (_, { status }) => void told.push(status) });

    assert.deepEqual(told, ['identical']);
  });

  test('that is interrupted says so of what it had not come to', async () => {
    const memory = openCopy(image(['a']));
    const controller = new AbortController();
    memory.interfere(({ operation }) => {
      if (operation === 'statBlob') controller.abort();
    });

    const { verdicts } = await check([ONE], memory, { signal: controller.signal });

    const [verdict] = verdicts;
    assert.ok(verdict?.status === 'failed' && verdict.error instanceof InterruptedError);
  });
});
