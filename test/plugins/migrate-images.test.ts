import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** A small oclif program of somebody else's that lists the plugin among its own. */
const HOST = {
  name: 'othercli',
  version: '1.0.0',
  type: 'module',
  dependencies: { '@migrate-images/oclif': '*' },
  oclif: { bin: 'othercli', topicSeparator: ' ', plugins: ['@migrate-images/oclif'] },
};

describe('the oclif plugin in another program', () => {
  let folder = '';

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'othercli-'));
    symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
    writeFileSync(join(folder, 'package.json'), JSON.stringify(HOST));
    writeFileSync(
      join(folder, 'run.js'),
      "import { execute } from '@oclif/core';\nexecute({ dir: import.meta.url });\n",
    );
  });

  after(() => rmSync(folder, { recursive: true, force: true }));

  const othercli = (...parameters: readonly string[]) =>
    execFileSync(process.execPath, [join(folder, 'run.js'), ...parameters], {
      cwd: folder,
      encoding: 'utf8',
      env: {
        ...process.env,
        HOME: folder,
        XDG_CONFIG_HOME: folder,
        XDG_CACHE_HOME: folder,
        XDG_DATA_HOME: folder,
      },
    });

  it('shows its commands below one topic', () => {
    const help = othercli('migrate-images', '--help');

    assert.match(help, /othercli migrate-images COMMAND/);
    assert.match(help, /migrate-images copy/);
    assert.match(help, /migrate-images scan/);
  });

  it('runs them', () => {
    const manifest = join(folder, 'pod.yaml');
    writeFileSync(
      manifest,
      'apiVersion: v1\nkind: Pod\nmetadata: {name: one}\nspec: {containers: [{name: main, image: "nginx:1.27"}]}\n',
    );

    const names = othercli('migrate-images', 'scan', '-f', manifest, '-o', 'name');

    assert.equal(names, 'docker.io/library/nginx:1.27\n');
  });
});
