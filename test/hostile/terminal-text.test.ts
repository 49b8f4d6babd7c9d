import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { type TestContext, test } from 'node:test';
import { type Desk, openDesk } from '../support/cli.ts';
import { findProgram, run } from '../support/process.ts';
import { startRegistry } from '../support/registry.ts';
import { skipUnless } from '../support/requirement.ts';
import { longestLineOf, rawIn, SAYINGS, sayEvil } from './evil.ts';
import { meetRaw } from './raw.ts';

const SCRIPT = {
  name: 'script',
  found: findProgram('script') !== undefined,
  remedy: 'install bsdutils (apt-get install bsdutils)',
};

// Two references, an address, what was said and what to do.
const LONGEST_LINE = 1_500;
// What the progress view itself writes: lines cleared and drawn again, colors, the cursor hidden and shown.
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const OWN = /\u001b(?:\[A|\[2K|\[J|\[\?(?:25|7|2026)[hl]|\[[0-9;]*m)|\r/g;

/** A desk with rules for every repository of a registry that says evil things. */
async function setUpEvil(context: TestContext): Promise<Desk> {
  const host = await meetRaw(context, sayEvil);
  const destination = await startRegistry();
  context.after(() => destination.close());
  const desk = await openDesk();
  context.after(() => desk.close());
  const insecure = { insecure: true };
  const login = { username: 'me', password: 'hunter2', insecure: true };
  await desk.write('auth.json', JSON.stringify({ [host]: login, [destination.host]: insecure }));
  const rules = Object.keys(SAYINGS).map((name) => [
    `${host}/${name}${name.startsWith('tag') ? '' : ':v1'}`,
    `${destination.host}/moved/${name}`,
  ]);
  await desk.write('images.json', JSON.stringify(Object.fromEntries(rules)));
  return desk;
}

const COMMANDS: readonly (readonly string[])[] = [
  ['copy', '-r', '0', '-o', 'json', '--no-encrypt-auth'],
  ['copy', 'plan', '--no-encrypt-auth'],
  ['copy', 'verify', '--no-encrypt-auth'],
  ['auth', 'check'],
  ['auth', 'check', '-o', 'json'],
];

test('What a server says reaches neither output nor report nor log as it is', async (context) => {
  const desk = await setUpEvil(context);

  const finished = await Promise.all(COMMANDS.map((parameters) => desk.run(parameters)));

  const log = await desk.read('image-migrator.log');
  const texts = [log, ...finished.flatMap(({ stdout, stderr }) => [stdout, stderr])];
  assert.ok(texts.join('').includes('EVIL'));
  for (const text of texts) {
    assert.equal(rawIn(text), undefined);
    assert.ok(longestLineOf(text) < LONGEST_LINE, `${longestLineOf(text)} characters`);
  }
  assert.deepEqual(new Set(finished.map(({ code }) => code)), new Set([1]));
});

test('What a server says reaches no terminal as it is', {
  skip: skipUnless(SCRIPT),
}, async (context) => {
  const desk = await setUpEvil(context);
  const command = desk.shellCommand(['copy', '-r', '0']);

  const { code } = await run('script', ['-qefc', command, desk.path('typescript')]);

  const typescript = await readFile(desk.path('typescript'), 'utf8');
  const text = typescript.slice(typescript.indexOf('\n') + 1).replace(OWN, '');
  assert.equal(code, 1, text);
  assert.ok(typescript.includes('\u001b[?25l'));
  assert.ok(text.includes('EVIL'));
  assert.equal(rawIn(text), undefined);
});
