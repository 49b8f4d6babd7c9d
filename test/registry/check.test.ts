import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { afterEach, describe, type TestContext, test } from 'node:test';
import { checkLogin, checkPull, checkPush } from '../../src/registry/check.ts';
import type { Credential } from '../../src/registry/credentials.ts';
import { CredentialError, NetworkError, RegistryError } from '../../src/registry/errors.ts';
import type { Probe, Right } from '../../src/registry/registry.ts';
import { REGISTRIES } from '../registry-support/registries.ts';
import type { Distribution } from '../support/distribution.ts';
import { pushImage } from '../support/images.ts';
import { type RunningRegistry, startRegistry, type TestRegistry } from '../support/registry.ts';
import { PUSHER, READER, type User } from '../support/registry-users.ts';
import { failureOf, openAll } from './opening.ts';

const PATH = 'team/app';
const WRONG: User = { username: PUSHER.username, password: 'wrong' };

/** The way to a repository of a registry, with the login of a user or without any. */
function probeOf(
  context: TestContext,
  registry: RunningRegistry,
  { right, user, path = PATH }: { right?: Right; user?: User; path?: string },
): Promise<Probe> {
  const credential: Credential | undefined = user && {
    kind: 'password',
    username: user.username,
    password: user.password,
  };
  const registries = openAll(context, registry, {
    loginFor: async () => ({ origin: 'a test', ...(credential ? { credential } : {}) }),
  });
  return registries.probe({ registry: registry.host, repository: path }, right);
}

/** The upload sessions that a registry still knows. */
async function sessionsIn(registry: RunningRegistry): Promise<readonly string[]> {
  if ('store' in registry) return [...(registry as TestRegistry).store.uploads.keys()];
  // distribution 2.8 writes the state of its hashes once more after it has removed a session.
  const files = await readdir((registry as Distribution).folder, { recursive: true });
  return files.filter((file) => file.endsWith('/startedat'));
}

for (const { name, skip, start } of REGISTRIES)
  for (const auth of ['none', 'basic', 'token'] as const)
    describe(`A login of ${name} (${auth})`, { skip }, () => {
      let registry: RunningRegistry;
      const user = auth === 'none' ? {} : { user: PUSHER };
      afterEach(() => registry.close());

      test('is taken at the door', async (context) => {
        registry = await start({ auth });
        const probe = await probeOf(context, registry, { ...user, path: '' });

        assert.equal(await checkLogin(probe), undefined);
      });

      test('pulls what is there', async (context) => {
        registry = await start({ auth });
        const { digest } = await pushImage(registry, { repository: PATH, tag: 'v1' });

        for (const version of ['v1', digest, undefined]) {
          const probe = await probeOf(context, registry, { ...user, right: 'pull' });

          assert.equal(await checkPull(probe, version), undefined);
        }
      });

      test('works also where the image is not there, and that is said', async (context) => {
        registry = await start({ auth });
        const probe = await probeOf(context, registry, { ...user, right: 'pull' });
        const who = auth === 'none' ? 'the registry answers' : 'login works';

        assert.equal(await checkPull(probe, 'v1'), `${who}; the image is not there`);
        assert.equal(await checkPull(probe, undefined), `${who}; the repository is not there`);
      });

      test('pushes, and nothing of that is left', async (context) => {
        registry = await start({ auth });
        const probe = await probeOf(context, registry, { ...user, right: 'push' });

        const note = await checkPush(probe);

        await registry.settle();
        assert.equal(note, undefined);
        assert.deepEqual(await sessionsIn(registry), []);
        assert.deepEqual(
          registry.log.summary().filter((line) => /upload [23]/.test(line)),
          ['POST upload 202', 'DELETE upload 204'],
        );
      });

      if (auth === 'none') return;

      test('with a wrong password is refused whatever is asked of it', async (context) => {
        registry = await start({ auth });
        await pushImage(registry, { repository: PATH, tag: 'v1' });

        const failures = [
          await failureOf(checkLogin(await probeOf(context, registry, { user: WRONG }))),
          await failureOf(
            checkPull(await probeOf(context, registry, { user: WRONG, right: 'pull' }), 'v1'),
          ),
          await failureOf(
            checkPush(await probeOf(context, registry, { user: WRONG, right: 'push' })),
          ),
        ];

        for (const failure of failures) {
          assert.ok(failure instanceof (auth === 'token' ? CredentialError : RegistryError));
          assert.equal(failure.code, 'UNAUTHORIZED');
        }
      });

      test('that is missing is asked for', async (context) => {
        registry = await start({ auth });
        const probe = await probeOf(context, registry, { right: 'pull' });

        const failure = await failureOf(checkPull(probe, 'v1'));

        assert.ok(failure instanceof RegistryError);
        assert.equal(failure.code, 'UNAUTHORIZED');
      });
    });

for (const { name, skip, start } of REGISTRIES)
  test(`A login of ${name} that may only pull is told from a wrong one`, {
    skip,
  }, async (context) => {
    const registry = await start({ auth: 'token' });
    context.after(() => registry.close());
    await pushImage(registry, { repository: PATH, tag: 'v1' });

    const pulled = await checkPull(
      await probeOf(context, registry, { user: READER, right: 'pull' }),
      'v1',
    );
    const refused = await failureOf(
      checkPush(await probeOf(context, registry, { user: READER, right: 'push' })),
    );

    assert.equal(pulled, undefined);
    assert.ok(refused instanceof Error && 'code' in refused);
    assert.equal(refused.code, 'DENIED');
    assert.equal(
      refused.message,
      `${registry.host} takes this login, but does not let it push here`,
    );
  });

describe('A registry', () => {
  const start = async (context: TestContext, options: Parameters<typeof startRegistry>[0] = {}) => {
    const registry = await startRegistry(options);
    context.after(() => registry.close());
    return registry;
  };

  test('that lets nobody see this repository says so of a good login', async (context) => {
    const users = [{ ...READER, repositories: /^other\// }];
    const registry = await start(context, { auth: 'token', users });
    const probe = await probeOf(context, registry, { user: READER, right: 'pull' });

    const failure = await failureOf(checkPull(probe, 'v1'));

    assert.equal(
      failure.message,
      `${registry.host} takes this login, but does not let it pull here, if there is such a repository`,
    );
  });

  test('whose door is open to all takes a wrong password no better', async (context) => {
    const registry = await start(context, { auth: 'basic' });
    registry.faults.add({ class: 'ping', times: 1, answer: { status: 200, body: '{}' } });
    const probe = await probeOf(context, registry, { user: WRONG, right: 'pull' });

    const failure = await failureOf(checkPull(probe, 'v1'));

    assert.ok(failure instanceof RegistryError);
    assert.equal(failure.code, 'UNAUTHORIZED');
  });

  test('that makes no repository at a push wants it to be made first', async (context) => {
    const registry = await start(context, { repositories: ['team/other'] });
    const probe = await probeOf(context, registry, { right: 'push' });

    const failure = await failureOf(checkPush(probe));

    assert.ok('code' in failure && 'hint' in failure);
    assert.equal(failure.code, 'NAME_UNKNOWN');
    assert.match(String(failure.hint), /^the repository must be created first/);
  });

  test('that refuses the anonymous at its door may let them pull', async (context) => {
    const registry = await start(context);
    await pushImage(registry, { repository: PATH, tag: 'v1' });
    registry.faults.add({ class: 'ping', answer: { status: 401 } });
    const probe = await probeOf(context, registry, { right: 'pull' });

    const pulled = await checkPull(probe, 'v1');
    const missing = await failureOf(checkPull(probe, 'v2'));
    const entered = await checkLogin(probe);

    assert.equal(pulled, undefined);
    assert.match(missing.message, /answered 401 to GET \/v2\//);
    assert.equal(entered, 'the registry answers; no login is tried');
  });

  test('that does not do HEAD is asked by GET', async (context) => {
    const registry = await start(context);
    await pushImage(registry, { repository: PATH, tag: 'v1' });
    registry.faults.add({ class: 'manifest', method: 'HEAD', answer: { status: 405 } });
    const probe = await probeOf(context, registry, { right: 'pull' });

    const note = await checkPull(probe, 'v1');

    assert.equal(note, undefined);
    assert.equal(registry.log.count('GET', 'manifest'), 1);
  });

  test('that is none is told from one that has not the image', async (context) => {
    const registry = await start(context);
    registry.faults.add({ answer: { status: 404, body: 'not here' } });
    const probe = await probeOf(context, registry, { right: 'pull' });

    for (const failure of [
      await failureOf(checkLogin(probe)),
      await failureOf(checkPull(probe, 'v1')),
    ]) {
      assert.ok('hint' in failure);
      assert.match(String(failure.hint), /no registry answers under this name/);
    }
  });

  test('that does not cancel a session has the last word, and that is said', async (context) => {
    const registry = await start(context);
    const probe = await probeOf(context, registry, { right: 'push' });
    for (const fault of [{ answer: { status: 405 } }, { reset: true }]) {
      registry.faults.clear();
      registry.faults.add({ class: 'upload', method: 'DELETE', ...fault });

      const note = await checkPush(probe);

      assert.equal(note, 'the upload session is left to the registry, which did not cancel it');
    }
  });

  test('that opens a session and does not say where is of no use', async (context) => {
    const registry = await start(context);
    registry.faults.add({ class: 'upload', headers: { location: undefined } });
    const probe = await probeOf(context, registry, { right: 'push' });

    const failure = await failureOf(checkPush(probe));

    assert.match(failure.message, /answered 202 to POST/);
  });

  test('that refuses a push is quoted', async (context) => {
    const registry = await start(context);
    const answer = { status: 403, body: '{"errors":[{"code":"DENIED","message":"quota"}]}' };
    registry.faults.add({ class: 'upload', answer });
    const probe = await probeOf(context, registry, { right: 'push' });

    const failure = await failureOf(checkPush(probe));

    assert.match(failure.message, /answered 403 to POST .* \(DENIED: quota\)$/);
  });

  test('that is gone is a network error', async (context) => {
    const registry = await start(context);
    const probe = await probeOf(context, registry, { right: 'push' });
    await registry.close();

    const failure = await failureOf(checkPush(probe));

    assert.ok(failure instanceof NetworkError);
  });

  test('is asked by each probe anew: a token of one login does not help another', async (context) => {
    const registry = await start(context, { auth: 'token' });
    const registries = openAll(context, registry, {
      loginFor: async ({ repository }) => ({
        origin: 'a test',
        credential: { kind: 'password', ...(repository === 'good' ? PUSHER : WRONG) },
      }),
    });
    const probe = (repository: string) =>
      registries.probe({ registry: registry.host, repository }, undefined);

    const good = await checkLogin(await probe('good'));
    const bad = await failureOf(checkLogin(await probe('bad')));

    assert.equal(good, undefined);
    assert.ok(bad instanceof CredentialError);
  });

  test('is not asked any more after an interruption', async (context) => {
    const registry = await start(context);
    const hanging = {
      class: 'upload',
      method: 'POST',
      wait: new Promise(() => undefined),
    } as const;
    registry.faults.add(hanging);
    const probe = await probeOf(context, registry, { right: 'push' });
    const controller = new AbortController();
    const failing = failureOf(checkPush(probe, controller.signal));

    controller.abort();

    assert.equal((await failing).name, 'AbortError');
  });
});
