import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmod,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, test } from 'node:test';
import {
  readReplaceable,
  readText,
  readTextIfThere,
  replaceFile,
  systemReason,
} from '../../src/text/file.ts';

let folder: string;
const inside = (name: string) => join(folder, name);

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'file-test-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('A file is read', () => {
  test('as UTF-8, with its byte order mark', async () => {
    await writeFile(inside('a'), '\uFEFFä😀\r\n');

    assert.equal(await readText(inside('a')), '\uFEFFä😀\r\n');
  });

  test('but not as UTF-16, as PowerShell writes it', async () => {
    await writeFile(inside('a'), Buffer.from('\uFEFF{"a": "b"}', 'utf16le'));

    await assert.rejects(readText(inside('a')), {
      name: 'DocumentError',
      message: `${inside('a')}: the file is not UTF-8 text; save it as UTF-8`,
    });
  });

  test('or refused with the reason in words', async () => {
    await writeFile(inside('a'), '');

    const missing = inside('none');
    await assert.rejects(readText(missing), {
      name: 'FileError',
      message: `cannot read ${missing}: no such file or folder`,
    });
    await assert.rejects(readText(folder), { message: `cannot read ${folder}: it is a folder` });
    await assert.rejects(readText(inside('a/b')), {
      message: `cannot read ${inside('a/b')}: a part of the path is not a folder`,
    });
  });

  test('if it is there, and only then', async () => {
    await writeFile(inside('a'), 'text');

    assert.equal(await readTextIfThere(inside('a')), 'text');
    assert.equal(await readTextIfThere(inside('none')), undefined);
    await assert.rejects(readTextIfThere(folder), { name: 'FileError' });
  });

  test('to be replaced only if it can be', async () => {
    await writeFile(inside('a'), 'text');
    spawnSync('mkfifo', [inside('pipe')]);

    assert.equal(await readReplaceable(inside('a')), 'text');
    for (const path of ['-', inside('pipe'), '/dev/null'])
      await assert.rejects(readReplaceable(path), {
        name: 'FileError',
        message: `${path} is not a file that can be replaced`,
      });
    await assert.rejects(readReplaceable(inside('none')), { message: /no such file or folder$/ });
    await assert.rejects(readReplaceable(folder), { message: /it is a folder$/ });
  });

  test('from standard input for "-"', async () => {
    const program = `
      import { readText } from '${new URL('../../src/text/file.ts', import.meta.url)}';
      process.stdout.write((await readText('-')).toUpperCase());
    `;
    const child = spawn(process.execPath, ['--input-type=module', '-e', program]);
    child.stdin.end('text ä');

    const [said] = await Promise.all([buffer(child.stdout), once(child, 'close')]);

    assert.equal(said.toString(), 'TEXT Ä');
  });
});

describe('A pipe is written to', () => {
  test('and stays one', async () => {
    const pipe = inside('pipe');
    spawnSync('mkfifo', [pipe]);
    const reader = spawn('cat', [pipe], { stdio: ['ignore', 'pipe', 'ignore'] });

    await replaceFile(pipe, 'text', 0o600);

    assert.equal((await buffer(reader.stdout)).toString(), 'text');
    assert.ok((await stat(pipe)).isFIFO());
  });
});

describe('A file is replaced', () => {
  test('as a whole, with the mode that is asked for, and nothing is left beside it', async () => {
    await writeFile(inside('a'), 'old and longer', { mode: 0o644 });

    await replaceFile(inside('a'), 'new', 0o600);

    assert.equal(await readFile(inside('a'), 'utf8'), 'new');
    assert.equal((await stat(inside('a'))).mode & 0o777, 0o600);
    assert.deepEqual(await readdir(folder), ['a']);
  });

  test('or made where there was none', async () => {
    await replaceFile(inside('a'), Buffer.from('new'), 0o600);

    assert.equal(await readFile(inside('a'), 'utf8'), 'new');
  });

  test('so that who has it open goes on reading the old text', async () => {
    await writeFile(inside('a'), 'old');
    const before = await stat(inside('a'));

    await replaceFile(inside('a'), 'new', 0o600);

    assert.notEqual((await stat(inside('a'))).ino, before.ino);
  });

  test('behind a symbolic link, which stays one', async () => {
    await mkdir(inside('there'));
    await writeFile(inside('there/a'), 'old');
    await symlink('there/a', inside('link'));
    await symlink('link', inside('chain'));

    await replaceFile(inside('chain'), 'new', 0o600);

    assert.equal(await readlink(inside('chain')), 'link');
    assert.equal(await readlink(inside('link')), 'there/a');
    assert.equal(await readFile(inside('there/a'), 'utf8'), 'new');
  });

  test('behind a symbolic link to a file that is not there yet', async () => {
    await mkdir(inside('there'));
    await symlink('there/a', inside('link'));
    await symlink('link', inside('chain'));

    await replaceFile(inside('chain'), 'new', 0o600);

    assert.ok((await lstat(inside('link'))).isSymbolicLink());
    assert.equal(await readFile(inside('there/a'), 'utf8'), 'new');
  });

  const refusals: readonly (readonly [string, string])[] = [
    ['none/a', 'no such file or folder'],
    ['file/a', 'a part of the path is not a folder'],
    ['full', 'it is a folder'],
    ['circle', 'the symbolic links go round in a circle'],
  ];
  for (const [path, reason] of refusals)
    test(`or refused: ${reason}`, async () => {
      await writeFile(inside('file'), 'kept');
      await mkdir(inside('full/inner'), { recursive: true });
      await symlink('circle', inside('circle'));

      await assert.rejects(replaceFile(inside(path), 'new', 0o600), {
        name: 'FileError',
        message: `cannot write ${inside(path)}: ${reason}`,
      });

      assert.deepEqual(await readdir(folder), ['circle', 'file', 'full']);
      assert.equal(await readFile(inside('file'), 'utf8'), 'kept');
    });

  test('or left as it was where its folder cannot be written', async () => {
    await mkdir(inside('closed'));
    await writeFile(inside('closed/a'), 'old');
    await chmod(inside('closed'), 0o555);
    await chmod(folder, 0o755);

    await asNobody(() =>
      assert.rejects(replaceFile(inside('closed/a'), 'new', 0o600), {
        name: 'FileError',
        message: `cannot write ${inside('closed/a')}: permission denied`,
      }),
    );

    assert.equal(await readFile(inside('closed/a'), 'utf8'), 'old');
    await chmod(inside('closed'), 0o755);
  });

  test('or refused where its folder cannot even be looked into', async () => {
    await mkdir(inside('closed'), { mode: 0o000 });
    await chmod(folder, 0o755);

    await asNobody(() =>
      assert.rejects(replaceFile(inside('closed/a'), 'new', 0o600), {
        name: 'FileError',
        message: `cannot write ${inside('closed/a')}: permission denied`,
      }),
    );

    await chmod(inside('closed'), 0o755);
  });
});

test('An unknown reason is given as the system gives it', () => {
  assert.equal(systemReason(Object.assign(new Error('x'), { code: 'EMFILE' })), 'EMFILE');
  assert.equal(systemReason(new Error('something else')), 'something else');
});

/** The superuser may write everywhere; what is tested here is how it is for others. */
async function asNobody(work: () => Promise<void>): Promise<void> {
  if (process.geteuid?.() !== 0) return work();
  process.seteuid?.(65534);
  try {
    await work();
  } finally {
    process.seteuid?.(0);
  }
}

test('A file without an end is not read for ever', async () => {
  await assert.rejects(readText('/dev/zero'), /cannot read \/dev\/zero: it has no end in sight/);
});
