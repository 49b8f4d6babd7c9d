import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openDesk } from '../support/cli.ts';

// What people paste: an address with a login in it, or the same without its scheme.
const PASTED = [
  'https://me:hunter2/x@r.invalid/team/app:v1',
  'me:hunter2@r.invalid/team/app:v1',
  'me:hunter2@r.invalid:5000/team/app:v1',
];

for (const pasted of PASTED)
  test(`A login in a rule is not shown: ${pasted}`, async (context) => {
    const desk = await openDesk();
    context.after(() => desk.close());
    const rules = { [pasted]: '127.0.0.1:1/moved/app', 'a/b:1': pasted };
    await desk.write('images.json', JSON.stringify(rules));

    const { stdout, stderr } = await desk.run(['copy', 'plan', '-o', 'json']);

    const log = await desk.read('image-migrator.log');
    for (const text of [stdout, stderr, log]) assert.doesNotMatch(text, /hunter2/);
  });
