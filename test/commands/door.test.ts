import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Command } from '@oclif/core';
import { COMMANDS } from '../../src/commands/index.ts';
import { type Desk, openDesk } from '../support/cli.ts';
import { assertForPeople, assertRefused, linesOf } from './move.ts';

const SNAPSHOT = join(import.meta.dirname, 'flags.json');

async function desk(t: TestContext): Promise<Desk> {
  const opened = await openDesk();
  t.after(() => opened.close());
  return opened;
}

for (const id of ['', ...Object.keys(COMMANDS).map((each) => each.replace(':', ' '))])
  test(`--help ${id && `of ${id} `}fits into 80 columns and names the program as people type it`, async (t) => {
    const { run } = await desk(t);

    const { code, stdout, stderr } = await run([...(id ? id.split(' ') : []), '--help']);

    assert.deepEqual([code, stderr], [0, '']);
    assert.match(
      stdout,
      id ? new RegExp(`\\$ kubectl migrate-images ${id}`) : /\$ kubectl migrate-images \[/,
    );
    assert.doesNotMatch(stdout, /migrate_images|undefined|\.{4}/);
    // The first line is the package's own description, which oclif does not break.
    const [, ...lines] = stdout.split('\n');
    assert.deepEqual(
      lines.filter((line) => line.length > 80),
      [],
    );
  });

test('-h, help and --help of a command say the same', async (t) => {
  const { run } = await desk(t);

  const [first, ...others] = await Promise.all(
    [
      ['copy', '--help'],
      ['copy', '-h'],
      ['help', 'copy'],
    ].map((parameters) => run(parameters)),
  );

  for (const { code, stdout } of others) {
    assert.equal(code, 0);
    assert.equal(stdout, first?.stdout);
  }
});

test('Without a command, help is shown, and it lists the commands', async (t) => {
  const { run } = await desk(t);

  const bare = await run([]);
  const help = await run(['help']);

  assert.deepEqual([bare.code, help.code], [0, 0]);
  assert.equal(bare.stdout, help.stdout);
  const words = Object.keys(COMMANDS).map((id) => id.replace(/:.*/, ''));
  for (const word of words) assert.match(bare.stdout, new RegExp(`^ {2}${word} `, 'm'));
});

test('--version names the package and its version', async (t) => {
  const { run } = await desk(t);
  const { version } = JSON.parse(
    await readFile(new URL('../../package.json', import.meta.url), 'utf8'),
  );

  const { code, stdout } = await run(['--version']);

  assert.equal(code, 0);
  assert.ok(stdout.startsWith(`kubectl-migrate-images/${version} `), stdout);
});

test('An unknown command is exit 2 and one line', async (t) => {
  const { run } = await desk(t);

  const finished = await run(['frobnicate']);

  assert.equal(finished.code, 2);
  assert.match(finished.stderr, /command frobnicate not found/);
  assert.equal(linesOf(finished.stderr).length, 1);
});

for (const [what, parameters, message] of [
  ['An unknown flag', ['copy', '--frob'], /^error: Nonexistent flag: --frob$/],
  ['An unknown letter', ['scan', '-x'], /^error: Nonexistent flag: -x$/],
  ['A flag without its value', ['copy', '--images'], /^error: Flag --images expects a value$/],
  [
    'A file without its flag',
    ['copy', 'images.json'],
    /^error: Unexpected argument: images\.json$/,
  ],
  [
    'Too few workers',
    ['copy', '-w', '0'],
    /^error: --workers: expected an integer greater than or equal to 1 but received: 0$/,
  ],
  [
    'Too many workers',
    ['copy', '-w', '257'],
    /^error: --workers: expected an integer less than or equal to 256 but received: 257$/,
  ],
  [
    'A number of workers that is none',
    ['copy', '-w', 'many'],
    /^error: --workers: expected an integer but received: many$/,
  ],
  [
    'A negative number of retries',
    ['copy', '-r', '-1'],
    /^error: --retries: expected an integer greater than or equal to 0 but received: -1$/,
  ],
  [
    'An unknown form of the report',
    ['copy', '-o', 'xml'],
    /^error: Expected --output=xml to be one of: text, json$/,
  ],
  [
    'Two ways to treat a map',
    ['scan', '--merge', '--force'],
    /^error: --force=true cannot also be provided when using --merge$/,
  ],
  [
    'All namespaces and one',
    ['scan', '-A', '-n', 'a'],
    /^error: --all-namespaces=true cannot also be provided when using --namespaces$/,
  ],
] as const)
  test(`${what} is one line, and one that says where to look`, async (t) => {
    const { run } = await desk(t);

    const finished = await run(parameters);
    // oclif has warnings of its own for those who develop with it.
    const developing = await run(parameters, { environment: { NODE_ENV: 'development' } });

    const help = new RegExp(`^see "kubectl migrate-images ${parameters[0]} --help"$`);
    assertRefused(finished, message, help);
    assertRefused(developing, message, help);
  });

for (const parameters of [
  ['copy', '--help'],
  ['scan', '-f', 'many.yaml', '-o', 'name'],
])
  test(`"${parameters.join(' ')} | head -1" ends without a word on standard error`, async (t) => {
    const { write, run, shellCommand } = await desk(t);
    const pod = (number: number) =>
      JSON.stringify({
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: `pod${number}` },
        spec: { containers: [{ name: 'main', image: `r.example/team/app:${number}` }] },
      });
    await write(
      'many.yaml',
      Array.from({ length: 5_000 }, (_, number) => pod(number)).join('\n---\n'),
    );

    const { stdout, stderr } = await run(['-c', `${shellCommand(parameters)} | head -1`], {
      program: '/bin/sh',
    });

    assert.equal(stderr, '');
    assert.equal(linesOf(stdout).length, 1);
  });

test('A copy whose reader goes away still does its work', async (t) => {
  const { write, run, read, shellCommand } = await desk(t);
  await write('images.json', '{}');

  const { stderr } = await run(['-c', `${shellCommand(['copy'])} | true`], { program: '/bin/sh' });

  assert.equal(stderr, '');
  assert.match(await read('image-migrator.log'), /"event":"ended"/);
});

test('The program works through the name that kubectl looks for', async (t) => {
  const { run, installPlugin } = await desk(t);
  const PATH = await installPlugin();

  const finished = await run(['-c', 'kubectl-migrate_images scan'], {
    program: '/bin/sh',
    environment: { PATH },
  });

  assertRefused(finished, /^error: --repo is missing/, /^write -t REGISTRY\/NAMESPACE/);
  assertForPeople(finished);
});

/** Scripts depend on flags: a change to them is to be seen. `UPDATE_SNAPSHOTS=1` writes the file anew. */
test('The flags of every command are those that are written down', async () => {
  const commands = Object.entries(COMMANDS).map(([id, command]) => [id, shapeOf(command)]);
  const found = JSON.parse(JSON.stringify(Object.fromEntries(commands)));
  if (process.env['UPDATE_SNAPSHOTS'] === '1')
    await writeFile(SNAPSHOT, `${JSON.stringify(found, undefined, 2)}\n`);

  const expected = JSON.parse(await readFile(SNAPSHOT, 'utf8'));

  assert.deepEqual(found, expected);
});

function shapeOf({ hiddenAliases, flags, baseFlags }: Command.Class): object {
  const all = Object.entries({ ...baseFlags, ...flags }).sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    hiddenAliases,
    flags: Object.fromEntries(
      all.map(([name, flag]) => {
        const { type, char, aliases, exclusive, env } = flag;
        const option = flag.type === 'option' ? flag : undefined;
        const { options, multiple, delimiter } = option ?? {};
        const allowNo = 'allowNo' in flag ? flag.allowNo : undefined;
        const value = typeof flag.default === 'function' ? undefined : flag.default;
        return [
          name,
          {
            type,
            char,
            aliases,
            exclusive,
            env,
            options,
            multiple,
            delimiter,
            allowNo,
            default: value,
          },
        ];
      }),
    ),
  };
}
