import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { CredentialError, NetworkError } from '../../src/registry/errors.ts';
import { REGISTRIES } from '../registry-support/registries.ts';
import { type Certificates, makeCertificates } from '../support/certificates.ts';
import type { RunningRegistry } from '../support/registry.ts';
import { startRegistry } from '../support/registry.ts';
import { failureOf, loginOf, openAll } from './opening.ts';

const NAME = 'team/app';

let certificates: Certificates;
before(async () => {
  certificates = await makeCertificates();
});
after(() => certificates.remove());

for (const { name, skip, start } of REGISTRIES)
  describe(`an insecure registry (${name})`, { skip }, () => {
    let registry: RunningRegistry;
    afterEach(() => registry.close());

    test('is spoken to over HTTPS where it answers there, whatever its certificate', async (context) => {
      registry = await start({ tls: certificates, auth: 'basic' });
      const registries = openAll(context, registry, { settingsFor: () => ({ insecure: true }) });
      const place = { registry: registry.host, repository: NAME };

      const found = await (await registries.open(place, 'pull')).resolve('v1');

      assert.equal(found, undefined);
    });

    test('is spoken to over HTTP otherwise, and gets no login before that is settled', async (context) => {
      registry = await start({ auth: 'basic' });
      const registries = openAll(context, registry);
      const place = { registry: registry.host, repository: NAME };

      const [found] = await Promise.all([
        registries.open(place, 'pull').then((repository) => repository.resolve('v1')),
        registries.open(place, 'push').then((repository) => repository.resolve('v1')),
      ]);
      await registry.settle();

      assert.equal(found, undefined);
      assert.equal(registry.log.count('GET', 'ping'), 1);
      assert.equal(registry.log.select('GET', 'ping')[0]?.headers.authorization, undefined);
    });

    test('is not what others are: HTTPS or nothing', async (context) => {
      registry = await start();
      const registries = openAll(context, registry, { settingsFor: () => ({}) });
      const place = { registry: registry.host, repository: NAME };

      const error = await failureOf(
        registries.open(place, 'pull').then((repository) => repository.resolve('v1')),
      );
      await registry.settle();

      assert.ok(error instanceof NetworkError);
      assert.match(error.message, /does not speak TLS/);
      assert.equal(registry.log.count(), 0);
    });
  });

describe('registries', () => {
  test('say that an insecure one answers neither way, and ask again the next time', async (context) => {
    const registry = await startRegistry();
    const registries = openAll(context, registry);
    const place = { registry: registry.host, repository: NAME };
    await registry.close();

    const first = await failureOf(registries.open(place, 'pull'));
    const second = await failureOf(registries.open(place, 'pull'));

    for (const error of [first, second]) {
      assert.ok(error instanceof NetworkError);
      assert.match(error.message, /connection refused/);
    }
  });

  test('do not make others insecure, such as where a blob is redirected to', async (context) => {
    const secure = await startRegistry({ tls: certificates });
    const registry = await startRegistry();
    context.after(() => Promise.all([registry.close(), secure.close()]));
    const location = `${secure.url}/elsewhere/x`;
    registry.faults.add({ class: 'manifest', answer: { status: 307, headers: { location } } });
    const repository = await openAll(context, registry).open(
      { registry: registry.host, repository: NAME },
      'pull',
    );

    const error = await failureOf(repository.fetchManifest('v1'));

    assert.ok(error instanceof NetworkError);
    assert.equal(error.code, 'TLS');
    assert.equal(secure.log.count(), 0);
  });

  test('ask for the login of a repository once for each right, and say which it is', async (context) => {
    const registry = await startRegistry({ auth: 'token' });
    context.after(() => registry.close());
    const seen: string[] = [];
    let asked = 0;
    const registries = openAll(context, registry, {
      loginFor: async () => {
        asked += 1;
        return loginOf(registry);
      },
      onLogin: ({ repository }, { origin }) => seen.push(`${repository} ${origin}`),
    });
    const place = { registry: registry.host, repository: NAME };

    const opened = await Promise.all(
      (['pull', 'push', 'pull', 'push', 'pull'] as const).map((right) =>
        registries.open(place, right),
      ),
    );

    assert.equal(new Set(opened).size, 2);
    assert.equal(asked, 2);
    assert.deepEqual(seen, [`${NAME} a test`, `${NAME} a test`]);
  });

  test('ask again for a login that could not be had', async (context) => {
    const registry = await startRegistry();
    context.after(() => registry.close());
    let asked = 0;
    const registries = openAll(context, registry, {
      loginFor: async () => {
        asked += 1;
        if (asked === 1) throw new CredentialError('locked');
        return { origin: 'a test' };
      },
    });
    const place = { registry: registry.host, repository: NAME };

    const error = await failureOf(registries.open(place, 'pull'));
    const repository = await registries.open(place, 'pull');

    assert.equal(error.message, 'locked');
    assert.equal(repository.name.repository, NAME);
  });

  test('announce that a host asked to wait', async (context) => {
    const registry = await startRegistry();
    context.after(() => registry.close());
    registry.faults.add({
      class: 'manifest',
      answer: { status: 429, headers: { 'retry-after': '1' } },
      times: 1,
    });
    const waits: unknown[] = [];
    const registries = openAll(context, registry, { onWait: (wait) => waits.push(wait) });
    const place = { registry: registry.host, repository: NAME };

    const found = await (await registries.open(place, 'pull')).resolve('v1');

    assert.equal(found, undefined);
    assert.deepEqual(waits, [{ host: registry.host, status: 429, waitMs: 1000 }]);
  });
});
