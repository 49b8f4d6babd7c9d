import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmod, chown, mkdtemp, realpath, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { closeToOthers, permissionsOf } from '../../src/text/permissions.ts';
import { skipUnless } from '../support/requirement.ts';
import { SUPERUSER } from '../support/superuser.ts';

const NO_PROC = process.platform === 'linux' ? false : 'there is no /proc';

describe('The permissions of a file', () => {
  let folder: string;
  let file: string;
  beforeEach(async () => {
    folder = await realpath(await mkdtemp(join(tmpdir(), 'permissions-')));
    file = join(folder, 'a');
    await writeFile(file, 'text', { mode: 0o600 });
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  for (const [mode, isOpen] of [
    [0o600, false],
    [0o400, false],
    [0o700, false],
    [0o640, true],
    [0o604, true],
    [0o620, true],
    [0o666, true],
  ] as const)
    test(`0${mode.toString(8)} ${isOpen ? 'are open' : 'are not open'} to others`, async () => {
      await chmod(file, mode);

      const permissions = await permissionsOf(file);

      assert.deepEqual(permissions, {
        target: file,
        linked: false,
        owner: process.geteuid?.(),
        own: true,
        open: isOpen,
      });
    });

  test('are those of the file that links lead to', async () => {
    await chmod(file, 0o644);
    await symlink('a', join(folder, 'link'));
    await symlink('link', join(folder, 'chain'));

    const permissions = await permissionsOf(join(folder, 'chain'));

    assert.deepEqual([permissions?.target, permissions?.linked], [file, true]);
    assert.equal(permissions?.open, true);
  });

  test("tell another user's file", { skip: skipUnless(SUPERUSER) }, async () => {
    await chown(file, 12_345, 12_345);

    const permissions = await permissionsOf(file);

    assert.deepEqual([permissions?.owner, permissions?.own], [12_345, false]);
  });

  test('are not asked for of what is no file', async () => {
    spawnSync('mkfifo', [join(folder, 'pipe')]);

    for (const path of ['none', 'pipe', '', 'a/b'].map((name) => join(folder, name)))
      assert.equal(await permissionsOf(path), undefined, path);
  });

  test('are closed to others, and the text stays', async () => {
    await chmod(file, 0o666);

    await closeToOthers(file);

    assert.equal((await stat(file)).mode & 0o777, 0o600);
    assert.equal((await stat(file)).size, 4);
  });

  test('that cannot be changed say so', { skip: NO_PROC }, async () => {
    await assert.rejects(closeToOthers('/proc/self/status'), {
      name: 'FileError',
      message: 'cannot change the permissions of /proc/self/status: permission denied',
    });
    await assert.rejects(closeToOthers(join(folder, 'none')), {
      message: /none: no such file or folder$/,
    });
  });
});
