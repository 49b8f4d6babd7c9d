import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { loadAccess } from '../../src/cluster/kubeconfig-files.ts';
import { parseDocument } from '../../src/text/document.ts';

const SECRET = 'hunter2';

describe('What a YAML document holds is not shown by its error', () => {
  for (const [what, text] of Object.entries({
    'between exclamation marks': `r.example:\n  password: !${SECRET}!\n`,
    'between more of them': `r.example:\n  password: !!${SECRET}!\n`,
    'behind a directive': `%YAML ${SECRET}\n---\na: b\n`,
  })) {
    test(`${what}, in auth.yaml`, () => {
      assert.throws(
        () => parseDocument(text, 'auth.yaml'),
        (error: Error) => !error.message.includes(SECRET),
      );
    });

    test(`${what}, in a kubeconfig`, async (context) => {
      const folder = await mkdtemp(join(tmpdir(), 'yaml-'));
      context.after(() => rm(folder, { recursive: true, force: true }));
      const kubeconfig = join(folder, 'config');
      await writeFile(kubeconfig, text);

      await assert.rejects(
        loadAccess({ kubeconfig, environment: {} }),
        (error: Error) => !error.message.includes(SECRET),
      );
    });
  }
});
