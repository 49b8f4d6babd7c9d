import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

const SOURCES = fileURLToPath(new URL('../src', import.meta.url));

/** What each floor may import of the house, besides itself. */
const BELOW: Readonly<Record<string, readonly string[]>> = {
  text: [],
  oci: [],
  registry: ['oci', 'text'],
  copy: ['oci', 'text'],
  cluster: ['oci', 'text', 'registry'],
  progress: ['copy', 'oci', 'text'],
  commands: ['progress', 'cluster', 'copy', 'registry', 'oci', 'text'],
};

/** The only files that may import a library, by library. */
const LIBRARIES: Readonly<Record<string, RegExp>> = {
  undici: /^(registry\/(transport|answer|connector)|cluster\/(session|connection|retry))\.ts$/,
  execa: /^(registry\/docker-helper|cluster\/exec-credential)\.ts$/,
  '@kubernetes/client-node': /^cluster\/session\.ts$/,
  listr2: /^progress\/lanes\.ts$/,
  'jsonc-parser': /^text\/json\.ts$/,
  yaml: /^(text\/yaml|cluster\/(kubeconfig-files|manifest-documents)|commands\/scan\/report)\.ts$/,
  '@oclif/core': /^commands\//,
  'p-limit': /^commands\//,
};

interface Import {
  readonly from: string;
  readonly target: string;
}

const files = readdirSync(SOURCES, { recursive: true, encoding: 'utf8' }).filter((file) =>
  file.endsWith('.ts'),
);

function importsOf(file: string): readonly Import[] {
  const text = readFileSync(join(SOURCES, file), 'utf8');
  const targets = [...text.matchAll(/(?:\bfrom\s+|\bimport\s+|\bimport\()'([^']+)'/g)].map(
    ([, target = '']) => target,
  );
  return targets.map((target) => ({ from: file, target }));
}

const imports = files.flatMap(importsOf);
const inner = imports
  .filter(({ target }) => target.startsWith('.'))
  .map(({ from, target }) => ({
    from,
    target: relative(SOURCES, resolve(SOURCES, dirname(from), target)),
  }));

const floorOf = (file: string) => (file.includes('/') ? file.slice(0, file.indexOf('/')) : 'door');

describe('the floors of the house', () => {
  it('are all known', () => {
    const floors = new Set(files.map(floorOf));

    assert.deepEqual([...floors].sort(), [...Object.keys(BELOW), 'door'].sort());
  });

  it('import only what stands below them', () => {
    const wrong = inner.filter(({ from, target }) => {
      const floor = floorOf(from);
      return (
        floor !== 'door' && floor !== floorOf(target) && !BELOW[floor]?.includes(floorOf(target))
      );
    });

    assert.deepEqual(wrong, []);
  });

  it('import every file of the house that exists', () => {
    const missing = inner.filter(({ target }) => !files.includes(target));

    assert.deepEqual(missing, []);
  });

  it('import in no circle', () => {
    const edges = Map.groupBy(inner, ({ from }) => from);
    const done = new Set<string>();
    const circles: string[] = [];
    const visit = (file: string, path: readonly string[]): void => {
      if (path.includes(file)) circles.push([...path.slice(path.indexOf(file)), file].join(' > '));
      else if (!done.has(file)) {
        for (const { target } of edges.get(file) ?? []) visit(target, [...path, file]);
        done.add(file);
      }
    };

    for (const file of files) visit(file, []);

    assert.deepEqual(circles, []);
  });

  it('import libraries in named files only', () => {
    const wrong = imports.filter(({ from, target }) => {
      if (target.startsWith('.') || target.startsWith('node:')) return false;
      const library = Object.keys(LIBRARIES).find(
        (name) => target === name || target.startsWith(`${name}/`),
      );
      return library === undefined || !LIBRARIES[library]?.test(from);
    });

    assert.deepEqual(wrong, []);
  });

  it('have no room for leftovers', () => {
    const rooms = files.filter((file) =>
      /(^|\/)(utils?|helpers?|common|misc|manager|service)(\/|\.|-)/.test(file),
    );

    assert.deepEqual(rooms, []);
  });
});
