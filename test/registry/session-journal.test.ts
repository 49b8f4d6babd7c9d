import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, type TestContext, test } from 'node:test';
import { journalFolder, sessionJournal } from '../../src/registry/session-journal.ts';
import { startRegistry, type TestRegistry } from '../support/registry.ts';
import { collect, content, openBare } from './opening.ts';

const MEBIBYTE = 1024 * 1024;
const place = { url: new URL('https://registry.example.com/v2/team/app/blobs/uploads/') };
const session = new URL('https://registry.example.com/v2/team/app/blobs/uploads/1?_state=a');

describe('A journal of uploads', () => {
  let folder: string;
  const blob = { mediaType: 'x', digest: `sha256:${'a'.repeat(64)}`, size: 5 } as const;
  const files = async () =>
    Promise.all(
      (await readdir(folder).catch(() => [])).map(async (name) => ({
        path: join(folder, name),
        text: await readFile(join(folder, name), 'utf8'),
      })),
    );
  /** As if the process that wrote the entries had ended. */
  const orphan = async () => {
    const { pid } = await ended();
    for (const { path, text } of await files())
      await writeFile(path, JSON.stringify({ ...JSON.parse(text), process: pid }));
  };

  beforeEach(async () => {
    folder = join(await mkdtemp(join(tmpdir(), 'journal-')), 'uploads');
  });
  afterEach(() => rm(join(folder, '..'), { recursive: true, force: true }));

  test('hands an upload on when its process has ended, once', async () => {
    await sessionJournal(folder).keep(place, blob, session);
    await orphan();
    const [one, two] = [sessionJournal(folder), sessionJournal(folder)];

    const taken = await Promise.all([one.take(place, blob), two.take(place, blob)]);

    assert.deepEqual(
      taken.filter((url) => url !== undefined).map(({ href }) => href),
      [session.href],
    );
    assert.deepEqual(await files(), []);
  });

  test('hands nothing on while the process runs', async () => {
    await sessionJournal(folder).keep(place, blob, session);

    assert.equal(await sessionJournal(folder).take(place, blob), undefined);
    assert.equal((await files()).length, 1);
  });

  test('keeps the first of two runs that send the same blob', async () => {
    const [one, two] = [sessionJournal(folder), sessionJournal(folder)];
    await one.keep(place, blob, session);
    await two.keep(place, blob, new URL('?other', session));
    await two.drop(place, blob);
    await orphan();

    assert.equal((await two.take(place, blob))?.href, session.href);
  });

  test('forgets what is done, and what is another blob or repository', async () => {
    const journal = sessionJournal(folder);
    await journal.keep(place, blob, session);
    await orphan();
    const other = { url: new URL('../../../other/blobs/uploads/', place.url) };

    assert.equal(await sessionJournal(folder).take(other, blob), undefined);
    assert.equal(await sessionJournal(folder).take(place, { ...blob, size: 6 }), undefined);
    await journal.drop(place, blob);
    assert.equal(await sessionJournal(folder).take(place, blob), undefined);
  });

  for (const [what, text] of Object.entries({
    'is cut': '{"upload": "https://regi',
    'is of another form': '[]',
    'names no address': JSON.stringify({ session: 'x' }),
    'has a prototype': '{"__proto__": {"session": "https://evil.example/"}}',
  }))
    test(`does not mind an entry that ${what}`, async () => {
      await sessionJournal(folder).keep(place, blob, session);
      for (const { path } of await files()) await writeFile(path, text);

      assert.equal(await sessionJournal(folder).take(place, blob), undefined);
    });

  test('can be read by its user alone', async () => {
    await sessionJournal(folder).keep(place, blob, session);

    assert.equal((await stat(folder)).mode & 0o777, 0o700);
    for (const { path } of await files()) assert.equal((await stat(path)).mode & 0o777, 0o600);
  });

  test('that cannot be written is none', async () => {
    await writeFile(join(folder, '..', 'file'), '');
    const journal = sessionJournal(join(folder, '..', 'file', 'uploads'));

    await journal.keep(place, blob, session);

    assert.equal(await journal.take(place, blob), undefined);
  });

  test('removes what is older than registries keep uploads', async () => {
    await sessionJournal(folder).keep(place, blob, session);
    const old = new Date(Date.now() - 8 * 86_400_000);
    for (const { path } of await files()) await utimes(path, old, old);
    const other = { ...blob, digest: `sha256:${'b'.repeat(64)}` } as const;
    const journal = sessionJournal(folder);

    await journal.keep(place, other, session);

    for (let turn = 0; turn < 200 && (await files()).length > 1; turn += 1)
      await new Promise((resolve) => setTimeout(resolve, 5));
    assert.equal((await files()).length, 1);
  });

  test("is kept in the user's state folder", () => {
    const home = '/home/somebody';

    assert.equal(journalFolder({}, home, 'name'), '/home/somebody/.local/state/name/uploads');
    assert.equal(journalFolder({ XDG_STATE_HOME: '/x' }, home, 'name'), '/x/name/uploads');
  });

  describe('for a registry', () => {
    let registry: TestRegistry;
    const large = content(randomBytes(20 * MEBIBYTE));
    const half = 10 * MEBIBYTE;
    beforeEach(async () => {
      registry = await startRegistry();
    });
    afterEach(() => registry.close());

    /** A run that was killed when half of the blob had arrived. */
    const begin = async (context: TestContext) => {
      const repository = openBare(context, registry, { kept: sessionJournal(folder) });
      registry.faults.add({ method: 'PUT', dropUploadAfter: half, times: 1 });
      registry.faults.add({
        class: 'upload',
        method: 'GET',
        wait: new Promise(() => {}),
        times: 1,
      });
      const dying = repository.putBlob(large.descriptor, large.open, {});
      dying.catch(() => undefined);
      await until(() => registry.log.count('PUT', 'upload') === 1);
      await orphan();
      registry.log.clear();
    };

    test('lets the next run go on where the registry stands', async (context) => {
      await begin(context);
      const again = content(large.bytes);
      const repository = openBare(context, registry, { kept: sessionJournal(folder) });

      const arrival = await repository.putBlob(again.descriptor, again.open, {});

      assert.equal(arrival, 'uploaded');
      assert.deepEqual(again.opened, [half]);
      assert.equal(registry.log.count('POST', 'upload'), 0);
      assert.ok(
        (await collect(await repository.openBlob(large.descriptor, 0))).equals(large.bytes),
      );
      assert.deepEqual(await files(), []);
    });

    test('begins anew when what had arrived was wrong', async (context) => {
      await begin(context);
      for (const { chunks } of registry.store.uploads.values())
        chunks[0] = Buffer.alloc(chunks[0]?.length ?? 0);
      const again = content(large.bytes);
      const repository = openBare(context, registry, { kept: sessionJournal(folder) });

      const arrival = await repository.putBlob(again.descriptor, again.open, {});

      assert.equal(arrival, 'uploaded');
      assert.deepEqual(again.opened, [half, 0]);
      assert.ok(
        (await collect(await repository.openBlob(large.descriptor, 0))).equals(large.bytes),
      );
    });

    test('begins anew when the registry has forgotten it', async (context) => {
      await begin(context);
      registry.store.uploads.clear();
      const again = content(large.bytes);
      const repository = openBare(context, registry, { kept: sessionJournal(folder) });

      const arrival = await repository.putBlob(again.descriptor, again.open, {});

      assert.equal(arrival, 'uploaded');
      assert.deepEqual(again.opened, [0]);
      assert.deepEqual(await files(), []);
    });
  });
});

/** A process that has ended. */
async function ended() {
  const child = fork(import.meta.filename, { execArgv: ['-e', ''], stdio: 'ignore' });
  await once(child, 'exit');
  return { pid: child.pid };
}

async function until(holds: () => boolean): Promise<void> {
  for (let turn = 0; turn < 2000 && !holds(); turn += 1)
    await new Promise((resolve) => setTimeout(resolve, 5));
}
