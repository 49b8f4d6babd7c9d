import assert from 'node:assert/strict';
import {
  chmod,
  chown,
  mkdir,
  mkdtemp,
  realpath,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { guardAuthFile } from '../../src/registry/auth-guard.ts';
import { skipUnless } from '../support/requirement.ts';
import { SUPERUSER } from '../support/superuser.ts';

const NO_PROC = process.platform === 'linux' ? false : 'there is no /proc';

describe('An auth.json', () => {
  let folder: string;
  let file: string;
  beforeEach(async () => {
    folder = await realpath(await mkdtemp(join(tmpdir(), 'auth-guard-')));
    file = join(folder, 'auth.json');
    await writeFile(file, '{}');
    await chmod(file, 0o644);
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));
  const modeOf = async (path: string) => (await stat(path)).mode & 0o777;

  test('that only its owner can read is as it should be', async () => {
    await chmod(file, 0o600);

    const guarded = await guardAuthFile(file, true);

    assert.deepEqual(guarded, { warning: undefined, foreign: false });
  });

  test('that is open to others is closed, and that is said', async () => {
    const guarded = await guardAuthFile(file, true);

    assert.deepEqual(guarded, {
      warning: `${file} could be read by other users of this machine; now it cannot`,
      foreign: false,
    });
    assert.equal(await modeOf(file), 0o600);
  });

  test('that is to be left alone is only warned of', async () => {
    const { warning } = await guardAuthFile(file, false);

    assert.equal(
      warning,
      `${file} can be read by other users of this machine; run "chmod 600 ${file}"`,
    );
    assert.equal(await modeOf(file), 0o644);
  });

  test('that is a link is closed where it points to, and both are named', async () => {
    const link = join(folder, 'link.json');
    await symlink('auth.json', link);

    const { warning } = await guardAuthFile(link, true);

    assert.equal(
      warning,
      `${link} (a link to ${file}) could be read by other users of this machine; now it cannot`,
    );
    assert.equal(await modeOf(file), 0o600);
  });

  test('is named so that the advice can be pasted', async () => {
    await mkdir(join(folder, "it's here"));
    const odd = join(folder, "it's here", 'auth.json');
    await writeFile(odd, '{}');
    await chmod(odd, 0o644);

    const { warning } = await guardAuthFile(odd, false);

    assert.equal(warning?.split('; run ')[1], `"chmod 600 '${folder}/it'\\''s here/auth.json'"`);
  });

  test('whose permissions cannot be changed says why, and what to do', {
    skip: NO_PROC,
  }, async () => {
    const { warning } = await guardAuthFile('/proc/self/status', true);

    assert.match(
      warning ?? '',
      /^\/proc\/self\/status can be read by other users of this machine, and that cannot be changed here \(permission denied\); run "chmod 600 \/proc\/\d+\/status"$/,
    );
  });

  test("that is another user's is left as it is", { skip: skipUnless(SUPERUSER) }, async () => {
    await chown(file, 12_345, 12_345);

    const open = await guardAuthFile(file, true);
    await chmod(file, 0o600);
    const closed = await guardAuthFile(file, true);

    assert.deepEqual([open.foreign, closed.foreign], [true, true]);
    assert.equal(
      open.warning,
      `${file} belongs to another user (12345) and can be read by others; it is used as it is, and neither encrypted nor closed`,
    );
    assert.match(closed.warning ?? '', /belongs to another user \(12345\); it is used as it is/);
  });

  test('that is not there, or a stream, is nobody’s concern', async () => {
    for (const path of [join(folder, 'none'), '-', '/dev/null'])
      assert.deepEqual(await guardAuthFile(path, true), { warning: undefined, foreign: false });
  });
});
