import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { eventually, setUp } from '../commands/move.ts';
import { pushImage } from '../support/images.ts';
import { assertUnseen } from './secrets.ts';

const LAYER_BYTES = 17 * 1024 * 1024;

test('What is remembered of an upload is for its owner alone, holds no login, and goes with the upload', async (context) => {
  const { source, destination, desk } = await setUp(context, { destination: { auth: 'token' } });
  await pushImage(source, { repository: 'team/app', tag: 'v1', layers: 1, layerSize: LAYER_BYTES });
  const stall = { class: 'blob', method: 'GET', stallAfter: LAYER_BYTES - 1_000 } as const;
  source.faults.add(stall);
  const rule = { [`${source.host}/team/app:v1`]: `${destination.host}/moved/app` };
  await desk.write('images.json', JSON.stringify(rule));
  const state = desk.path('state');
  // As open as a careless user leaves it.
  await mkdir(state, { mode: 0o777 });
  const environment = { XDG_STATE_HOME: state };
  const folder = join(state, 'kubectl-migrate-images', 'uploads');

  const killed = desk.start(['copy'], { environment });
  await eventually(() => namesIn(folder).some((name) => name.endsWith('.json')));
  killed.child.kill('SIGKILL');
  await killed.ended;

  const names = await readdir(folder);
  const texts = await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')));
  const modes = await Promise.all(names.map((name) => desk.modeOf(join(folder, name))));
  const { username = '', password = '' } = destination.login ?? {};
  assert.deepEqual(modes, [0o600]);
  assert.equal(await desk.modeOf(folder), 0o700);
  assert.match(texts.join(''), /_state=/);
  assertUnseen(
    [username, password, `${username}:${password}`].map((text) => ({ what: text, text })),
    texts.map((text) => ({ where: folder, text })),
  );

  source.faults.clear();
  const { code, stdout } = await desk.run(['copy'], { environment });

  assert.equal(code, 0, stdout);
  assert.deepEqual(await readdir(folder), []);
});

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
