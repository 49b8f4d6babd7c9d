import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { test } from 'node:test';
import { eventually } from '../commands/move.ts';
import { PASS_HELPER } from '../support/credential-helper.ts';
import { pushImage } from '../support/images.ts';
import type { Environment, FinishedProcess } from '../support/process.ts';
import type { Fault } from '../support/registry-faults.ts';
import { skipUnless } from '../support/requirement.ts';
import { type Scene, setScene } from './scene.ts';
import { assertUnseen, secretsSeenBy, type Written, writtenBelow } from './secrets.ts';
import { PROC } from './watch.ts';

// Tokens, passwords, and the queries of signed addresses and of uploads.
const KINDS_OF_SECRETS = new Set(['Basic ', 'Bearer', 'signature', '_state']);

/** What goes wrong, at each step of a copy. */
const TROUBLES: Readonly<Record<string, Fault>> = {
  refused: { unauthorized: true },
  denied: { answer: { status: 403 } },
  trouble: { answer: { status: 500 } },
  cut: { resetAfter: true },
};
const STEPS: Readonly<
  Record<string, { readonly at: 'source' | 'destination'; readonly fault: Fault }>
> = {
  manifest: { at: 'source', fault: { class: 'manifest' } },
  blob: { at: 'source', fault: { class: 'blob' } },
  begin: { at: 'destination', fault: { class: 'upload', method: 'POST' } },
  upload: { at: 'destination', fault: { class: 'upload', method: 'PUT' } },
  push: { at: 'destination', fault: { class: 'manifest', method: 'PUT' } },
};

async function write({ desk, sources, destination }: Scene, more: readonly string[] = []) {
  const rules = Object.entries(sources).map(([kind, { host }]) => [
    `${host}/team/app:v1`,
    `${destination.host}/moved/${kind}`,
  ]);
  const failing = more.map((name) => [
    `${sources.plain.host}/team/${name}:v1`,
    `${destination.host}/moved/${name}`,
  ]);
  await desk.write('images.json', JSON.stringify(Object.fromEntries([...rules, ...failing])));
}

/** One image for each trouble at each step, those of the token service among them. */
async function prepareTroubles({ sources, destination }: Scene): Promise<readonly string[]> {
  const troubles = Object.keys(TROUBLES);
  const names = [...Object.keys(STEPS), 'token'].flatMap((step) =>
    troubles.map((trouble) => `${step}-${trouble}`),
  );
  for (const name of names)
    await pushImage(sources.plain, { repository: `team/${name}`, tag: 'v1', layers: 1 });
  for (const [trouble, effect] of Object.entries(TROUBLES)) {
    for (const [step, { at, fault }] of Object.entries(STEPS)) {
      const registry = at === 'source' ? sources.plain : destination;
      registry.faults.add({ ...fault, ...effect, path: new RegExp(`/${step}-${trouble}/`) });
    }
    const where: Fault['where'] = ({ query }) =>
      query.getAll('scope').join().includes(`token-${trouble}`);
    sources.plain.faults.add({ class: 'token', ...effect, where });
  }
  return names;
}

/** A run that is interrupted while a blob is on its way. */
async function interrupted(scene: Scene, environment: Environment) {
  const { plain } = scene.sources;
  await pushImage(plain, { repository: 'team/late', tag: 'v1' });
  await write(scene, ['late']);
  const stall: Fault = { class: 'blob', path: /late/, stallAfter: 100, times: 1 };
  plain.faults.add(stall);
  const { child, ended } = scene.start(['copy', '-r', '0'], { environment });
  await eventually(() => plain.faults.applied(stall) > 0);
  child.kill('SIGINT');
  const finished = await ended;
  assert.equal(finished.code, 130, finished.stdout);
  return finished;
}

test('No secret is to be seen anywhere, however a run ends', {
  skip: skipUnless(PASS_HELPER, PROC),
  timeout: 60_000,
}, async (context) => {
  const scene = await setScene(context);
  const { desk, sources, destination, run } = scene;
  const sealKey = randomBytes(32).toString('base64');
  const outputs: Written[] = [];
  const keep = (where: string, { stdout, stderr }: FinishedProcess) =>
    outputs.push({ where, text: stdout }, { where, text: stderr });
  const step = async (parameters: readonly string[], code: number, more = {}) => {
    const finished = await run(parameters, { environment: more });
    keep(parameters.join(' '), finished);
    assert.equal(finished.code, code, finished.stdout + finished.stderr);
    return finished;
  };

  // Sealed with a key in its file, opened, and sealed again with one of the environment.
  await write(scene);
  await step(['auth', 'encrypt'], 0);
  const fileKey = {
    what: 'the key in its file',
    text: (await readFile(desk.keyFile, 'utf8')).trim(),
  };
  await step(['auth', 'check'], 0);
  await step(['auth', 'decrypt'], 0);
  const given = { MIGRATE_IMAGES_AUTH_KEY: sealKey };
  await step(['copy', 'plan', '-o', 'json'], 0, given);

  // Failing, interrupted, and at last successful.
  const names = await prepareTroubles(scene);
  await write(scene, names);
  await step(['copy', '-r', '0'], 1, given);
  await step(['auth', 'check', '-o', 'json'], 1, { ...given, SOURCE_PASSWORD: 'wrong' });
  keep('interrupted', await interrupted(scene, given));
  await step(['copy', '-r', '0', '-o', 'json'], 0, given);
  await step(['copy', 'verify', '--deep'], 0, given);

  for (const registry of [...Object.values(sources), destination]) await registry.settle();
  const all = [...Object.values(sources), destination];
  const seen = secretsSeenBy(all);
  assert.deepEqual(new Set(seen.map(({ what }) => what)), KINDS_OF_SECRETS);
  const secrets = [...scene.secrets, ...seen, fileKey, { what: 'the given key', text: sealKey }];
  const files = await writtenBelow(dirname(dirname(desk.path('x'))), scene.keepers);
  const helper = {
    where: 'the list of processes of the helper',
    text: await readFile(scene.helperSaw, 'utf8'),
  };
  const list = { where: 'the list of processes', text: scene.seenArguments() };
  assert.ok(list.text.includes('verify') && helper.text.includes('docker-credential-watched'));
  assertUnseen(secrets, [...outputs, ...files, helper, list]);
});
