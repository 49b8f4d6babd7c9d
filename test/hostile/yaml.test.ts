import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import fc from 'fast-check';
import { loadAccess } from '../../src/cluster/kubeconfig-files.ts';
import { readManifests } from '../../src/cluster/manifests.ts';
import { parseDocument } from '../../src/text/document.ts';
import { SECRET, soup } from './soup.ts';

// A password may begin with any character, and people forget the quotes.
const PASSWORDS = [`|${SECRET}`, `>${SECRET}`, `!e!${SECRET}`, `*${SECRET}`, `*${SECRET}:`];

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'yaml-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** How reading a kubeconfig ends. */
async function loaded(text: string): Promise<Error | undefined> {
  const kubeconfig = join(folder, 'config');
  await writeFile(kubeconfig, text);
  return loadAccess({ kubeconfig, environment: {} }).then(
    () => undefined,
    (error: Error) => error,
  );
}

describe('A password without quotes', () => {
  for (const password of PASSWORDS) {
    test(`is not shown by an error of auth.yaml: ${password}`, () => {
      const text = `r.example:\n  username: u\n  password: ${password}\n`;

      assert.throws(
        () => parseDocument(text, 'auth.yaml'),
        (error: Error) => error.name === 'DocumentError' && !error.message.includes(SECRET),
      );
    });

    test(`is not shown by an error of a kubeconfig: ${password}`, async () => {
      const text = `users:\n- name: u\n  user:\n    password: ${password}\n`;

      const error = await loaded(text);

      assert.equal(error?.name, 'ClusterError');
      assert.ok(!error.message.includes(SECRET), error.message);
    });
  }

  test('is not shown by any error of a document', () => {
    fc.assert(
      fc.property(soup(true), (text) => {
        try {
          parseDocument(text, 'auth.yaml');
        } catch (error) {
          assert.ok(!(error as Error).message.includes(SECRET), (error as Error).message);
        }
      }),
      { numRuns: 3_000 },
    );
  });
});

describe('A kubeconfig is refused as one where its aliases', () => {
  const bomb = Array.from({ length: 9 }, (_, level) => {
    const names = Array(9).fill(level === 0 ? 'x' : `*a${level - 1}`);
    return `a${level}: &a${level} [${names}]`;
  });
  for (const [what, text] of Object.entries({
    'lead nowhere': 'clusters: *nowhere',
    'grow without end': bomb.join('\n'),
    'merge what is no map': '<<: 3\na: b',
    'merge themselves': 'x: &x {<<: *x, b: 1}',
  }))
    test(what, async () => {
      assert.equal((await loaded(text))?.name, 'ClusterError');
    });

  test('are any', async () => {
    await fc.assert(
      fc.asyncProperty(soup(true), async (text) => {
        const error = await loaded(text);

        assert.ok(error === undefined || error.name === 'ClusterError', `${error?.stack}`);
      }),
      { numRuns: 300 },
    );
  });
});

describe('Manifests', () => {
  for (const password of PASSWORDS)
    test(`are unreadable without what stands in them: ${password}`, async () => {
      const path = join(folder, 'secret.yaml');
      await writeFile(path, `kind: Secret\nstringData:\n  password: ${password}\n`);

      const { unreadable } = await readManifests([path]);

      assert.equal(unreadable.length, 1);
      assert.doesNotMatch(JSON.stringify(unreadable), new RegExp(SECRET));
    });

  for (const [what, text] of Object.entries({
    'of lists in lists': `${'{"kind":"List","items":['.repeat(20_000)}${']}'.repeat(20_000)}`,
    'of a list that holds itself': '&a\nkind: List\nitems: [*a]\n',
  }))
    test(`${what} are read to their end, or said to be unreadable`, async () => {
      const path = join(folder, 'manifest.yaml');
      await writeFile(path, text);

      await assert.doesNotReject(readManifests([path]));
    });
});
