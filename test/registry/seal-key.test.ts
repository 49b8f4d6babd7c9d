import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { statSync } from 'node:fs';
import { chmod, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { SealKeyError } from '../../src/registry/errors.ts';
import { ensureSealKey, findSealKey, SEAL_KEY_VARIABLE } from '../../src/registry/seal-key.ts';
import { failureOf } from './opening.ts';

describe('the key of sealed logins', () => {
  let folder: string;
  let path: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'seal-key-'));
    path = join(folder, 'settings', 'auth.key');
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  test('is not made by looking for it', async () => {
    const found = await findSealKey({ environment: {}, path });

    assert.equal(found, undefined);
    assert.deepEqual(await readdir(folder), []);
  });

  test('is made once, for the user alone', async () => {
    const made = await ensureSealKey({ environment: {}, path });
    const again = await ensureSealKey({ environment: {}, path });
    const found = await findSealKey({ environment: {}, path });

    assert.equal(made.length, 32);
    assert.deepEqual([again, found], [Buffer.from(made), Buffer.from(made)]);
    assert.equal((await stat(path)).mode & 0o777, 0o600);
    assert.equal((await stat(join(folder, 'settings'))).mode & 0o777, 0o700);
    assert.deepEqual(await readdir(join(folder, 'settings')), ['auth.key']);
  });

  test('is the same for all who make it at once', async () => {
    const keys = await Promise.all(
      Array.from({ length: 20 }, () => ensureSealKey({ environment: {}, path })),
    );

    assert.equal(new Set(keys.map((key) => Buffer.from(key).toString('hex'))).size, 1);
    assert.deepEqual(await readdir(join(folder, 'settings')), ['auth.key']);
  });

  test('is never there by half', async () => {
    const sizes = new Set<number>();
    let done = false;
    const made = ensureSealKey({ environment: {}, path }).finally(() => {
      done = true;
    });

    for (let look = 0; !done && look < 100_000; look += 1) {
      const there = statSync(path, { throwIfNoEntry: false });
      if (there) sizes.add(there.size);
      await nextTurn();
    }
    await made;

    assert.deepEqual([...sizes], [45]);
  });

  test('comes from the environment before the file', async () => {
    const given = randomBytes(32);
    const environment = { [SEAL_KEY_VARIABLE]: given.toString('base64') };
    await ensureSealKey({ environment: {}, path });

    const found = await findSealKey({ environment, path });
    const ensured = await ensureSealKey({ environment, path });

    assert.deepEqual([found, ensured], [given, given]);
  });

  test('from the environment needs no file', async () => {
    const environment = { [SEAL_KEY_VARIABLE]: randomBytes(32).toString('base64') };

    await ensureSealKey({ environment, path });

    assert.deepEqual(await readdir(folder), []);
  });

  test('that is none is named by its variable, and not shown', async () => {
    const environment = { [SEAL_KEY_VARIABLE]: 'c2hvcnQ=' };

    const error = await failureOf(findSealKey({ environment, path }));

    assert.ok(error instanceof SealKeyError);
    assert.match(error.message, /\$MIGRATE_IMAGES_AUTH_KEY must hold 32 bytes in base64/);
    assert.doesNotMatch(error.message, /c2hvcnQ/);
  });

  test('that is none is named by its file, which is left alone', async () => {
    const broken = join(folder, 'auth.key');
    await writeFile(broken, 'c2hvcnQ=');

    const error = await failureOf(ensureSealKey({ environment: {}, path: broken }));

    assert.ok(error instanceof SealKeyError);
    assert.match(error.message, /auth\.key must hold 32 bytes/);
    assert.equal(await readFile(broken, 'utf8'), 'c2hvcnQ=');
  });

  test('that cannot be made says where and why', async () => {
    const file = join(folder, 'a-file');
    await writeFile(file, '');

    const error = await failureOf(
      ensureSealKey({ environment: {}, path: join(file, 'below', 'auth.key') }),
    );

    assert.ok(error instanceof SealKeyError);
    assert.match(error.message, /auth\.key: a part of the path is not a folder/);
  });

  test('that cannot be kept says where and why', async () => {
    const dangling = join(folder, 'auth.key');
    await symlink(join(folder, 'nowhere', 'auth.key'), dangling);

    const error = await failureOf(ensureSealKey({ environment: {}, path: dangling }));

    assert.ok(error instanceof SealKeyError);
    assert.match(error.message, /auth\.key/);
  });

  test('that cannot be read says where and why', async () => {
    const error = await failureOf(findSealKey({ environment: {}, path: folder }));

    assert.ok(error instanceof SealKeyError);
    assert.match(error.message, /cannot read .*: it is a folder/);
  });

  test('is read whatever others may do with it', async () => {
    const made = await ensureSealKey({ environment: {}, path });
    await chmod(path, 0o644);

    const found = await findSealKey({ environment: {}, path });

    assert.deepEqual(found, Buffer.from(made));
  });
});
