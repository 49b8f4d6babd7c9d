import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { CredentialError, RegistryError } from '../../src/registry/errors.ts';
import { REGISTRIES } from '../registry-support/registries.ts';
import { type Certificates, makeCertificates } from '../support/certificates.ts';
import { pushImage } from '../support/images.ts';
import { type RunningRegistry, startRegistry, type TestRegistry } from '../support/registry.ts';
import type { RegistryOptions } from '../support/registry-options.ts';
import { READER } from '../support/registry-users.ts';
import { content, failureOf, loginOf, open, openAll } from './opening.ts';

const BLOB = content('the bytes of a layer');
const READ_ONLY = {
  kind: 'password',
  username: READER.username,
  password: READER.password,
} as const;

for (const { name, skip, start } of REGISTRIES)
  describe(`the login of ${name}`, { skip }, () => {
    const started: RunningRegistry[] = [];
    const begin = async (options: Parameters<typeof start>[0]) => {
      const registry = await start(options);
      started.push(registry);
      return registry;
    };
    afterEach(async () => {
      for (const registry of started.splice(0)) await registry.close();
    });

    test('is sent at once after the first 401, as Basic', async (context) => {
      const registry = await begin({ auth: 'basic' });
      const first = await open(context, registry);

      for (let round = 0; round < 3; round += 1) await first.hasBlob(BLOB.descriptor);
      await registry.settle();

      assert.deepEqual(
        registry.log.select('HEAD', 'blob').map(({ status }) => status),
        [401, 404, 404, 404],
      );
    });

    test('is learned once for all repositories of a host', async (context) => {
      const registry = await begin({ auth: 'token' });
      const registries = openAll(context, registry);
      const openOne = (repository: string) =>
        registries.open({ registry: registry.host, repository }, 'pull');

      for (const path of ['team/a', 'team/b', 'team/a', 'team/c'])
        await (await openOne(path)).hasBlob(BLOB.descriptor);
      await registry.settle();

      const statuses = registry.log.select('HEAD', 'blob').map(({ status }) => status);
      assert.equal(statuses.filter((status) => status === 401).length, 1);
      assert.equal(registry.log.count('GET', 'token'), 3);
    });

    test('asks for one token however many requests need it', async (context) => {
      const registry = await begin({ auth: 'token' });
      const repository = await open(context, registry);

      const found = await Promise.all(
        Array.from({ length: 20 }, () => repository.hasBlob(BLOB.descriptor)),
      );
      await registry.settle();

      assert.deepEqual(new Set(found), new Set([false]));
      assert.equal(registry.log.count('GET', 'token'), 1);
      const [asked] = registry.log.select('GET', 'token');
      assert.deepEqual(asked?.query.getAll('scope'), ['repository:team/app:pull,push']);
      assert.equal(asked?.query.get('service'), registry.tokens?.service);
    });

    test('asks for no more than to pull from a source', async (context) => {
      const registry = await begin({ auth: 'token' });
      const repository = await open(context, registry, { right: 'pull', credential: READ_ONLY });

      await repository.hasBlob(BLOB.descriptor);

      const [asked] = registry.log.select('GET', 'token');
      assert.deepEqual(asked?.query.getAll('scope'), ['repository:team/app:pull']);
    });

    test('exchanges an identity token by POST', async (context) => {
      const registry = await begin({ auth: 'token' });
      const token = registry.tokens?.refreshTokenOf('tester') ?? '';
      const repository = await open(context, registry, {
        credential: { kind: 'identity-token', token },
      });

      const arrival = await repository.putBlob(BLOB.descriptor, BLOB.open, {});

      assert.equal(arrival, 'uploaded');
      assert.equal(registry.log.count('POST', 'token'), 1);
      assert.equal(registry.log.count('GET', 'token'), 0);
    });

    test('is left out where anonymous tokens are enough', async (context) => {
      const registry = await begin({ auth: 'token', anonymousPull: true });
      await pushImage(registry, { repository: 'team/app', tag: 'v1' });
      const repository = await open(context, registry, { right: 'pull', credential: null });

      const found = await repository.resolve('v1');

      assert.ok(found);
      const [asked] = registry.log.select('GET', 'token');
      assert.equal(asked?.headers.authorization, undefined);
    });

    for (const auth of ['basic', 'token'] as const)
      test(`that is wrong is refused without saying what it was (${auth})`, async (context) => {
        const registry = await begin({ auth });
        const credential = { kind: 'password', username: 'tester', password: 'hunter2' } as const;
        const repository = await open(context, registry, { credential });

        const error = await failureOf(repository.resolve('v1'));

        assert.ok(error instanceof (auth === 'token' ? CredentialError : RegistryError));
        assert.equal(error.code, 'UNAUTHORIZED');
        assert.doesNotMatch(error.message, /hunter2/);
        if (auth === 'token') assert.match(error.message, /token service .* refuses this login/);
      });

    test('asks to pull from the repository that a mount names', async (context) => {
      const registry = await begin({ auth: 'token' });
      const from = await open(context, registry, { path: 'team/base' });
      await from.putBlob(BLOB.descriptor, BLOB.open, {});
      registry.log.clear();
      const repository = await open(context, registry);

      const arrival = await repository.putBlob(BLOB.descriptor, BLOB.open, {
        mountFrom: 'team/base',
      });

      assert.equal(arrival, 'mounted');
      const scopes = registry.log.select('GET', 'token').map(({ query }) => query.getAll('scope'));
      assert.deepEqual(scopes, [['repository:team/app:pull,push', 'repository:team/base:pull']]);
    });
  });

describe('a token', () => {
  let registry: TestRegistry;
  const begin = async (options: RegistryOptions = {}) => {
    registry = await startRegistry({ auth: 'token', ...options });
    return registry;
  };
  afterEach(() => registry.close());

  for (const answerField of ['token', 'access_token'] as const)
    test(`is taken from "${answerField}"`, async (context) => {
      const repository = await open(context, await begin({ tokens: { answerField } }));

      const found = await repository.hasBlob(BLOB.descriptor);

      assert.equal(found, false);
      assert.equal(registry.log.count('GET', 'token'), 1);
    });

  test('is renewed before it ends', async (context) => {
    const repository = await open(context, await begin({ tokens: { lifetimeSeconds: 100 } }));
    context.mock.timers.enable({ apis: ['Date'], now: Date.now() });
    registry.log.clear();

    await repository.hasBlob(BLOB.descriptor);
    context.mock.timers.setTime(Date.now() + 70_000);
    await repository.hasBlob(BLOB.descriptor);
    context.mock.timers.setTime(Date.now() + 20_000);
    await repository.hasBlob(BLOB.descriptor);

    assert.deepEqual(registry.log.summary(), [
      'HEAD blob 401',
      'GET token 200',
      'HEAD blob 404',
      'HEAD blob 404',
      'GET token 200',
      'HEAD blob 404',
    ]);
  });

  test('without a lifetime is good for a minute', async (context) => {
    const repository = await open(
      context,
      await begin({ tokens: { statedLifetimeSeconds: null } }),
    );
    context.mock.timers.enable({ apis: ['Date'], now: Date.now() });

    await repository.hasBlob(BLOB.descriptor);
    context.mock.timers.setTime(Date.now() + 40_000);
    await repository.hasBlob(BLOB.descriptor);
    context.mock.timers.setTime(Date.now() + 15_000);
    await repository.hasBlob(BLOB.descriptor);

    assert.equal(registry.log.count('GET', 'token'), 2);
  });

  test('that the registry no longer takes is renewed once', async (context) => {
    const repository = await open(context, await begin());
    await repository.hasBlob(BLOB.descriptor);
    registry.tokens?.revoke();
    registry.log.clear();

    await repository.hasBlob(BLOB.descriptor);

    assert.deepEqual(registry.log.summary(), ['HEAD blob 401', 'GET token 200', 'HEAD blob 404']);
  });

  test('is renewed once for all who find it ended', async (context) => {
    const repository = await open(context, await begin());
    await repository.hasBlob(BLOB.descriptor);
    registry.tokens?.revoke();
    registry.log.clear();

    await Promise.all(Array.from({ length: 10 }, () => repository.hasBlob(BLOB.descriptor)));

    assert.equal(registry.log.count('GET', 'token'), 1);
  });

  test('that ends during an upload is renewed for the closing PUT', async (context) => {
    const repository = await open(context, await begin());
    const blob = content(BLOB.bytes);
    let revoked = false;

    const arrival = await repository.putBlob(
      blob.descriptor,
      (offset) => {
        if (!revoked) registry.tokens?.revoke();
        revoked = true;
        return blob.open(offset);
      },
      {},
    );

    assert.equal(arrival, 'uploaded');
    assert.deepEqual(
      registry.log.select('PUT').map(({ status }) => status),
      [401, 201],
    );
    assert.equal(registry.log.count('POST', 'upload'), 2 - 1 + 1);
    assert.deepEqual(blob.opened, [0, 0]);
  });

  test('that is refused again and again is not asked for without end', async (context) => {
    const repository = await open(context, await begin());
    registry.faults.add({ class: 'manifest', unauthorized: true });

    const error = await failureOf(repository.resolve('v1'));

    assert.ok(error instanceof RegistryError);
    assert.equal(error.status, 401);
    assert.equal(registry.log.count(undefined, 'manifest'), 2);
  });

  test('that does not come after all is asked for anew the next time', async (context) => {
    const repository = await open(context, await begin());
    registry.faults.add({ class: 'token', answer: { status: 400 }, times: 1 });

    const error = await failureOf(repository.resolve('v1'));
    const found = await repository.resolve('v1');

    assert.ok(error instanceof CredentialError);
    assert.equal(found, undefined);
  });

  test('is asked for again when the token service is busy', async (context) => {
    const repository = await open(context, await begin());
    registry.faults.add({ class: 'token', answer: { status: 503 }, times: 1 });

    const found = await repository.resolve('v1');

    assert.equal(found, undefined);
    assert.equal(registry.log.count('GET', 'token'), 2);
  });

  test('for an identity token is not "missing" where the service knows no POST', async (context) => {
    await begin({ tokens: { withoutPost: true } });
    const token = 'an-identity-token';
    const repository = await open(context, registry, {
      credential: { kind: 'identity-token', token },
    });

    const error = await failureOf(repository.resolve('v1'));

    assert.ok(error instanceof CredentialError);
    assert.equal(error.missing, false);
    assert.match(error.message, /the token service 127\.0\.0\.1:\d+ .*404/);
    assert.doesNotMatch(error.message, new RegExp(token));
  });

  for (const [what, body] of [
    ['no token', '{"expires_in": 300}'],
    ['nonsense', '<html>'],
    ['a token that breaks the header', '{"token": "a\\r\\nX-Evil: 1"}'],
    ['no object', '["token"]'],
  ] as const)
    test(`is missed where the service answers with ${what}`, async (context) => {
      const repository = await open(context, await begin());
      registry.faults.add({ class: 'token', body });

      const error = await failureOf(repository.resolve('v1'));

      assert.ok(error instanceof CredentialError);
      assert.match(error.message, /answered without a token/);
    });

  test('is read up to a bound', async (context) => {
    const repository = await open(context, await begin());
    registry.faults.add({ class: 'token', body: `{"token": "${'x'.repeat(2 * 1024 * 1024)}"}` });

    const error = await failureOf(repository.resolve('v1'));

    assert.match(error.message, /sent more than 1048576 bytes/);
  });

  test('that never comes does not hold up an interrupted run', async (context) => {
    const repository = await open(context, await begin());
    const controller = new AbortController();
    registry.faults.add({
      class: 'token',
      wait: new Promise(() => undefined),
      where: () => {
        controller.abort();
        return true;
      },
    });

    const error = await failureOf(repository.resolve('v1', controller.signal));

    assert.equal(error.name, 'AbortError');
  });

  test('that one request no longer waits for still comes for the others', async (context) => {
    const repository = await open(context, await begin());
    const controller = new AbortController();
    let asked: () => void = () => undefined;
    const waiting = new Promise<void>((resolve) => {
      asked = resolve;
    });
    let answer: () => void = () => undefined;
    registry.faults.add({
      class: 'token',
      wait: new Promise<void>((resolve) => {
        answer = resolve;
      }),
      where: () => {
        asked();
        return true;
      },
    });

    const given = failureOf(repository.resolve('v1', controller.signal));
    await waiting;
    const kept = repository.resolve('v1');
    controller.abort();
    await given;
    answer();

    assert.equal(await kept, undefined);
    assert.equal(registry.log.count('GET', 'token'), 1);
  });

  test('to mount is not needed to upload', async (context) => {
    const user = { username: 'a', password: 'b', repositories: /^team\/app$/ };
    await begin({ users: [user] });
    const repository = await open(context, registry);

    const arrival = await repository.putBlob(BLOB.descriptor, BLOB.open, {
      mountFrom: 'other/base',
    });

    assert.equal(arrival, 'uploaded');
  });
});

describe('a realm', () => {
  let certificates: Certificates;
  let registry: TestRegistry;
  const challenge = (text: string) => ({
    class: 'manifest' as const,
    answer: { status: 401, headers: { 'www-authenticate': text } },
  });

  before(async () => {
    certificates = await makeCertificates();
  });
  after(() => certificates.remove());
  afterEach(() => registry.close());

  test('over plain HTTP gets nothing from a registry over TLS', async (context) => {
    registry = await startRegistry({ auth: 'token', tls: certificates });
    registry.faults.add(challenge('Bearer realm="http://tokens.example/token"'));
    const repository = await open(context, registry);

    const error = await failureOf(repository.resolve('v1'));

    assert.ok(error instanceof CredentialError);
    assert.match(error.message, /tokens\.example.*HTTP/);
    assert.equal(registry.log.count('GET', 'token'), 0);
  });

  test('over plain HTTP on loopback is taken', async (context) => {
    registry = await startRegistry({ auth: 'token', tls: certificates });
    const repository = await open(context, registry);

    const found = await repository.resolve('v1');

    assert.equal(found, undefined);
    assert.match(registry.tokens?.realm ?? '', /^http:/);
  });

  test('that is none leaves the Basic login that is also offered', async (context) => {
    registry = await startRegistry({ auth: 'basic' });
    registry.faults.add({
      ...challenge('Bearer realm="nonsense", Basic realm="x"'),
      times: 1,
    });
    const repository = await open(context, registry);

    const found = await repository.resolve('v1');

    assert.equal(found, undefined);
  });

  test('comes before a Basic login, in whatever order they are offered', async (context) => {
    registry = await startRegistry({ auth: 'token' });
    const { realm, service } = registry.tokens ?? {};
    registry.faults.add({
      ...challenge(`BASIC realm="x", bearer service=${service},Realm="${realm}"`),
      times: 1,
    });
    const repository = await open(context, registry);

    const found = await repository.resolve('v1');

    assert.equal(found, undefined);
    assert.equal(registry.log.count('GET', 'token'), 1);
  });

  test('keeps its own query', async (context) => {
    registry = await startRegistry({ auth: 'token' });
    const { realm, service } = registry.tokens ?? {};
    registry.faults.add({
      ...challenge(`Bearer realm="${realm}?tenant=a",service="${service}"`),
      times: 1,
    });
    const repository = await open(context, registry);

    await repository.resolve('v1');

    const [asked] = registry.log.select('GET', 'token');
    assert.equal(asked?.query.get('tenant'), 'a');
    assert.equal(asked?.query.get('service'), service);
  });
});

test('two logins on one host do not mix', async (context) => {
  const registry = await startRegistry({
    auth: 'token',
    users: [
      { username: 'red', password: 'r', repositories: /^red\// },
      { username: 'blue', password: 'b', repositories: /^blue\// },
    ],
  });
  context.after(() => registry.close());
  const registries = openAll(context, registry, {
    loginFor: async ({ repository }) => {
      const username = repository.slice(0, repository.indexOf('/'));
      const password = username.slice(0, 1);
      return { origin: 'a test', credential: { kind: 'password', username, password } };
    },
  });
  const place = (repository: string) =>
    registries.open({ registry: registry.host, repository }, 'push');

  const arrivals = await Promise.all(
    ['red/app', 'blue/app'].map(async (path) =>
      (await place(path)).putBlob(BLOB.descriptor, BLOB.open, {}),
    ),
  );

  assert.deepEqual(arrivals, ['uploaded', 'uploaded']);
  assert.equal(loginOf(registry).origin, 'a test');
});
