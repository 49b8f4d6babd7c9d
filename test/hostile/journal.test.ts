import assert from 'node:assert/strict';
import { chmod, mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { LARGE, type Remembering, remember } from './journal.ts';
import { meet } from './stranger.ts';

const send = ({ repository }: Remembering) => repository.putBlob(LARGE.descriptor, LARGE.open, {});

describe('The journal of uploads leads no login elsewhere, and nothing fails,', () => {
  for (const status of [401, 404, 500])
    test(`where it names another origin, which answers ${status}`, async (context) => {
      const stranger = await meet(context, (_, response) => {
        response.writeHead(status, { 'www-authenticate': 'Basic realm="x"' }).end();
      });
      const remembering = await remember(context);
      await remembering.rewrite({ session: `${stranger.url}/upload` });

      assert.equal(await send(remembering), 'uploaded');

      assert.ok(remembering.isStored());
      assert.ok(stranger.asked.every(({ authorization }) => authorization === undefined));
    });

  for (const session of [
    'file:///etc/passwd',
    'ftp://127.0.0.1/upload',
    'javascript:alert(1)',
    'data:text/plain,x',
    'http://user:secret@127.0.0.1:1/upload',
  ])
    test(`where it names ${session}`, async (context) => {
      const remembering = await remember(context);
      await remembering.rewrite({ session });

      assert.equal(await send(remembering), 'uploaded');

      assert.ok(remembering.isStored());
    });

  test('where it names another thing of the registry', async (context) => {
    const remembering = await remember(context);
    const { registry } = remembering;
    await remembering.rewrite({ session: `${registry.url}/v2/team/app/manifests/v1` });

    assert.equal(await send(remembering), 'uploaded');

    assert.ok(remembering.isStored());
    assert.ok(registry.log.select(undefined, 'manifest').every(({ method }) => method === 'GET'));
  });

  for (const [what, fields] of Object.entries({
    'no address': { session: 1 },
    'no process': { process: 'x' },
    'every process': { process: -1 },
    'its own group': { process: 0 },
    'a process beyond all numbers': { process: 1e300 },
    'another upload': { upload: 'x' },
    'a machine that is none': { machine: null },
  }))
    test(`where it names ${what}`, async (context) => {
      const remembering = await remember(context);
      await remembering.rewrite(fields);

      assert.equal(await send(remembering), 'uploaded');

      assert.ok(remembering.isStored());
    });

  const places: Readonly<Record<string, (remembering: Remembering) => Promise<unknown>>> = {
    'a link to another file': async ({ path }) => {
      await rm(path);
      await symlink('/etc/passwd', path);
    },
    'a link to itself': async ({ path }) => {
      await rm(path);
      await symlink(path, path);
    },
    'a folder that is not empty': async ({ path }) => {
      await rm(path);
      await mkdir(`${path}/x`, { recursive: true });
    },
    'an empty file': ({ path }) => writeFile(path, ''),
    'values nested without end': ({ path }) => writeFile(path, '['.repeat(100_000)),
    'nested values that end': ({ path }) =>
      writeFile(path, '['.repeat(100_000) + ']'.repeat(100_000)),
    'a prototype': ({ path }) => writeFile(path, '{"__proto__": {"session": "http://x/"}}'),
    'a file that nobody may read': ({ path }) => chmod(path, 0),
    'a folder that nobody may enter': ({ folder }) => chmod(folder, 0),
    'a file where the folder should be': async ({ folder }) => {
      await rm(folder, { recursive: true });
      await writeFile(folder, '');
    },
    'a link to nowhere where the folder should be': async ({ folder }) => {
      await rm(folder, { recursive: true });
      await symlink('/nowhere/at/all', folder);
    },
  };
  for (const [what, prepare] of Object.entries(places))
    test(`where it finds ${what}`, async (context) => {
      const remembering = await remember(context);
      await prepare(remembering);

      assert.equal(await send(remembering), 'uploaded');

      assert.ok(remembering.isStored());
    });
});
