import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DISTRIBUTION } from '../support/distribution.ts';
import { pushImage } from '../support/images.ts';
import { makeLayer } from '../support/images-layer.ts';
import { send } from '../support/registry-client.ts';
import { skipUnless } from '../support/requirement.ts';
import { openShelf, planAndCopy, type Shelf } from './shelf.ts';

// The plan says what becomes of each blob whatever the order in which images are copied. Here the destination has
// some of them already, so that a copy has to follow the same rule to the letter.

const REAL = { skip: skipUnless(DISTRIBUTION), timeout: 120_000 };

async function assertForeseen(shelf: Shelf): Promise<void> {
  await shelf.write();
  const { planned, copied, writes, foreseen, happened } = await planAndCopy(shelf);
  assert.equal(planned.code, 0, planned.stderr);
  assert.equal(copied.code, 0, copied.stderr);
  assert.deepEqual(writes, []);
  assert.deepEqual(happened, foreseen);
}

for (const [what, isThere] of [
  ['one tag of each repository', (rule: string) => /shared.*:v1$/.test(rule)],
  ['some repositories', (rule: string) => /app[024]:/.test(rule)],
  ['one image', (rule: string) => /app5:v2$/.test(rule)],
] as const)
  test(`A destination that has ${what} gets what the plan said`, REAL, async (t) => {
    const shelf = await openShelf(t);
    await shelf.write(shelf.rules.filter(([source]) => isThere(source)));
    await shelf.desk.run(['copy']);

    await assertForeseen(shelf);
  });

test('A destination whose tags were moved on gets what the plan said', REAL, async (t) => {
  const shelf = await openShelf(t);
  await shelf.write();
  await shelf.desk.run(['copy']);
  for (const number of [1, 3]) {
    const layers = [makeLayer('base', 5_000), makeLayer(`new ${number}`)];
    await pushImage(shelf.source, { repository: `shared/app${number}`, tag: 'v1', layers });
  }

  await assertForeseen(shelf);
});

test(
  'A destination that lost manifests, but not their blobs, gets what the plan said',
  REAL,
  async (t) => {
    const shelf = await openShelf(t);
    await shelf.write();
    await shelf.desk.run(['copy']);
    for (const number of [0, 2]) {
      const path = `/v2/moved/shared/app${number}/manifests`;
      const { headers } = await send(shelf.destination, { method: 'HEAD', path: `${path}/v1` });
      const digest = headers['docker-content-digest'];
      await send(shelf.destination, { method: 'DELETE', path: `${path}/${digest}` });
    }

    await assertForeseen(shelf);
  },
);
