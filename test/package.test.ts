import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { publint } from 'publint';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

interface PackedFile {
  readonly path: string;
}

/** What npm says of a tarball that it made; newer versions name the package before it. */
type Packed = Readonly<
  Record<string, { readonly filename: string; readonly files: readonly PackedFile[] }>
>;

describe('the published package', () => {
  let folder = '';
  let files: readonly string[] = [];

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'package-'));
    const answer = execFileSync(
      'npm',
      ['pack', '--json', '--ignore-scripts', '--pack-destination', folder],
      {
        cwd: ROOT,
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      },
    );
    const [packed] = Object.values(JSON.parse(answer.slice(answer.search(/^[[{]/m))) as Packed);
    assert.ok(packed);
    files = packed.files.map(({ path }) => path);
    const [tarball = ''] = readdirSync(folder);
    execFileSync('tar', ['-xzf', join(folder, tarball), '-C', folder]);
    symlinkSync(join(ROOT, 'node_modules'), join(folder, 'package', 'node_modules'));
    symlinkSync(join(folder, 'package', 'bin', 'run.js'), join(folder, 'kubectl-migrate_images'));
  });

  after(() => rmSync(folder, { recursive: true, force: true }));

  it('holds the program, its texts, and nothing of the workshop', () => {
    for (const needed of [
      'bin/run.js',
      'lib/index.js',
      'lib/index.d.ts',
      'lib/commands/index.js',
      'LICENSE',
      'README.md',
      'CHANGELOG.md',
    ])
      assert.ok(files.includes(needed), `${needed} is missing`);
    const strange = files.filter((file) =>
      /^(src|test|docs|plugins|\.ci|bin\/(dev|setup))/.test(file),
    );
    assert.deepEqual(strange, []);
  });

  it('is well formed', async () => {
    const { messages } = await publint({ pkgDir: join(folder, 'package'), strict: true });

    assert.deepEqual(messages, []);
  });

  it('runs under the name that kubectl looks for', () => {
    const program = join(folder, 'kubectl-migrate_images');
    const environment = { ...process.env, HOME: folder, XDG_CACHE_HOME: folder };

    const help = execFileSync(process.execPath, [program, 'scan', '--help'], {
      encoding: 'utf8',
      env: environment,
    });

    assert.match(help, /\$ kubectl migrate-images scan/);
  });
});
