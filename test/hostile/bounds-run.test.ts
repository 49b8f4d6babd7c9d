import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { loginsTo, reportIn } from '../commands/move.ts';
import { openDesk } from '../support/cli.ts';
import { startRegistry } from '../support/registry.ts';
import { skipUnless } from '../support/requirement.ts';
import { BEASTS } from './menagerie.ts';
import { meet } from './stranger.ts';
import { PROC, watchMemory } from './watch.ts';

const MOST_BYTES = 400 * 1024 * 1024;

/** One server with all of them, each under its own name. */
const meetAll = (context: TestContext) =>
  meet(context, (request, response) => {
    const [, name = ''] = /^\/v2\/([^/]+)\//.exec(request.url ?? '') ?? [];
    const beast = BEASTS[name];
    if (beast) beast.behavior(request, response);
    else response.end();
  });

test('A registry that means no good is a list of failures: the run ends, and holds little memory', {
  skip: skipUnless(PROC),
}, async (context) => {
  const source = await meetAll(context);
  const destination = await startRegistry();
  context.after(() => destination.close());
  const desk = await openDesk();
  context.after(() => desk.close());
  const insecure = { [source.host]: { insecure: true } };
  await desk.write(
    'auth.json',
    JSON.stringify({ ...JSON.parse(loginsTo(destination)), ...insecure }),
  );
  const rules = Object.entries(BEASTS).map(([name, { tag = ':v1' }]) => [
    `${source.host}/${name}${tag}`,
    `${destination.host}/moved/${name}`,
  ]);
  await desk.write('images.json', JSON.stringify(Object.fromEntries(rules)));

  const command = desk.start(['copy', '-r', '0', '-o', 'json']);
  const memory = watchMemory(command.child);
  const finished = await command.ended;

  const { images, rules: refused } = reportIn(finished);
  const codes = [...images, ...refused].map((one) => [
    one.source.slice(source.host.length + 1).replace(/:v1$/, ''),
    one.error?.code,
  ]);
  const expected = Object.entries(BEASTS).map(([name, { code }]) => [name, code]);
  assert.equal(finished.code, 1, finished.stderr);
  assert.deepEqual(Object.fromEntries(codes), Object.fromEntries(expected));
  assert.ok(memory.peak() > 0);
  assert.ok(memory.peak() < MOST_BYTES, `${memory.peak()} bytes`);
});
