import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type Certificates, makeCertificates } from '../support/certificates.ts';
import { pushImage } from '../support/images.ts';
import { verifyImage } from '../support/images-verify.ts';
import type { RunningRegistry } from '../support/registry.ts';
import { type ClientRequest, errorCodes, send } from '../support/registry-client.ts';
import { basicAuthorization, PUSHER, READER } from '../support/registry-users.ts';
import type { TokenServer } from '../support/token-server.ts';
import { REGISTRIES } from './registries.ts';

const BLOB = `/v2/team/app/blobs/sha256:${'0'.repeat(64)}`;

for (const { name, skip, start } of REGISTRIES) {
  describe(`${name} with a basic login`, { skip }, () => {
    let registry: RunningRegistry;
    const ask = (path: string, authorization?: string) =>
      send(registry, { path, anonymous: true, headers: authorization ? { authorization } : {} });

    before(async () => {
      registry = await start({ auth: 'basic' });
    });
    after(() => registry.close());

    test('asks for it', async () => {
      for (const path of ['/v2/', BLOB]) {
        const refused = await ask(path);

        assert.equal(refused.status, 401);
        assert.equal(refused.headers['www-authenticate'], 'Basic realm="test registry"');
        assert.deepEqual(errorCodes(refused), ['UNAUTHORIZED']);
      }
    });

    test('lets in who knows the password', async () => {
      const ping = await ask('/v2/', basicAuthorization(PUSHER));

      assert.equal(ping.status, 200);
    });

    test('keeps out who does not', async () => {
      const ping = await ask('/v2/', basicAuthorization({ ...PUSHER, password: 'wrong' }));

      assert.equal(ping.status, 401);
    });

    test('holds an image that was pushed with the login', async () => {
      const { digest } = await pushImage(registry, { repository: 'team/app', tag: 'v1' });

      const faults = await verifyImage(registry, 'team/app', 'v1', digest);

      assert.deepEqual(faults, []);
    });
  });

  describe(`${name} with tokens`, { skip }, () => {
    let registry: RunningRegistry;
    let tokens: TokenServer;
    const ask = (request: ClientRequest) => send(registry, { anonymous: true, ...request });
    const bearer = async (scope: string, user = PUSHER) => {
      const query = new URLSearchParams({ service: tokens.service, scope });
      const headers = { authorization: basicAuthorization(user) };
      const { body } = await send(tokens.realm, { path: `/token?${query}`, headers });
      return { authorization: `Bearer ${JSON.parse(`${body}`).token}` };
    };

    before(async () => {
      registry = await start({ auth: 'token' });
      assert.ok(registry.tokens);
      tokens = registry.tokens;
    });
    after(() => registry.close());

    test('names realm, service and scope', async () => {
      const ping = await ask({ path: '/v2/' });
      const blob = await ask({ path: BLOB });
      const upload = await ask({ method: 'POST', path: '/v2/team/app/blobs/uploads/' });

      const base = `Bearer realm="${tokens.realm}",service="test-registry"`;
      assert.deepEqual([ping.status, blob.status, upload.status], [401, 401, 401]);
      assert.equal(ping.headers['www-authenticate'], base);
      assert.equal(blob.headers['www-authenticate'], `${base},scope="repository:team/app:pull"`);
      assert.match(
        upload.headers['www-authenticate'] ?? '',
        /,scope="repository:team\/app:(pull,push|push,pull)"$/,
      );
    });

    test('wants to pull from where it mounts', async () => {
      const path = `/v2/team/app/blobs/uploads/?mount=sha256:${'0'.repeat(64)}&from=team/base`;

      const refused = await ask({ method: 'POST', path });

      assert.equal(refused.status, 401);
      assert.match(refused.headers['www-authenticate'] ?? '', /repository:team\/base:pull/);
      assert.match(
        refused.headers['www-authenticate'] ?? '',
        /repository:team\/app:(pull,push|push,pull)/,
      );
    });

    test('lets in a token of the right scope only', async () => {
      const right = await ask({ path: BLOB, headers: await bearer('repository:team/app:pull') });
      const wrong = await ask({ path: BLOB, headers: await bearer('repository:team/b:pull') });

      assert.equal(right.status, 404);
      assert.deepEqual(errorCodes(right), ['BLOB_UNKNOWN']);
      assert.equal(wrong.status, 401);
      assert.match(wrong.headers['www-authenticate'] ?? '', /error="insufficient_scope"$/);
    });

    test('keeps out a token that is none', async () => {
      const refused = await ask({ path: BLOB, headers: { authorization: 'Bearer nonsense' } });

      assert.equal(refused.status, 401);
      assert.match(refused.headers['www-authenticate'] ?? '', /error="invalid_token"$/);
    });

    test('gives a reader no right to push', async () => {
      const headers = await bearer('repository:team/app:pull,push', READER);

      const pull = await ask({ path: BLOB, headers });
      const push = await ask({ method: 'POST', path: '/v2/team/app/blobs/uploads/', headers });

      assert.equal(pull.status, 404);
      assert.equal(push.status, 401);
    });

    test('refuses a token to a wrong password, and to nobody for a push', async () => {
      const headers = { authorization: basicAuthorization({ ...PUSHER, password: 'wrong' }) };
      const path = '/token?service=test-registry&scope=repository:team/app:pull';

      const refused = await send(tokens.realm, { path, headers });
      const anonymous = await send(tokens.realm, { path });

      assert.equal(refused.status, 401);
      assert.equal(anonymous.status, 200);
      const { token } = JSON.parse(`${anonymous.body}`);
      const blob = await ask({ path: BLOB, headers: { authorization: `Bearer ${token}` } });
      assert.equal(blob.status, 401);
    });

    test('exchanges a refresh token by POST', async () => {
      const form = new URLSearchParams({
        grant_type: 'refresh_token',
        refresh_token: tokens.refreshTokenOf(PUSHER.username),
        service: tokens.service,
        client_id: 'test',
        scope: 'repository:team/app:pull',
      });

      const given = await send(tokens.realm, {
        method: 'POST',
        path: '/token',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: Buffer.from(`${form}`),
      });

      assert.equal(given.status, 200);
      const { access_token } = JSON.parse(`${given.body}`);
      const headers = { authorization: `Bearer ${access_token}` };
      assert.equal((await ask({ path: BLOB, headers })).status, 404);
    });

    test('keeps token requests in the log of the registry', async () => {
      registry.log.clear();

      await send(tokens.realm, { path: '/token', agent: 'a client' });
      await ask({ path: '/v2/', agent: 'a client' });
      await registry.settle();

      assert.deepEqual(registry.log.summary(), ['GET token 200', 'GET ping 401']);
    });

    test('holds an image that was pushed with tokens', async () => {
      const { digest } = await pushImage(registry, { repository: 'team/app', tag: 'v1' });

      const faults = await verifyImage(registry, 'team/app', 'v1', digest);

      assert.deepEqual(faults, []);
    });
  });

  describe(`${name} whose tokens have no life left`, { skip }, () => {
    test('refuses them at once', async (context) => {
      const registry = await start({ auth: 'token', tokens: { lifetimeSeconds: -1 } });
      context.after(() => registry.close());

      const pushed = pushImage(registry, { repository: 'team/app', tag: 'v1' });

      await assert.rejects(pushed, /answered 401 instead of 202/);
    });
  });

  describe(`${name} for everyone to pull`, { skip }, () => {
    test('gives who does not log in a token to pull, not to push', async (context) => {
      const registry = await start({ auth: 'token', anonymousPull: true });
      context.after(() => registry.close());
      const realm = registry.tokens?.realm ?? '';
      const query = 'service=test-registry&scope=repository:team/app:pull,push';

      const { body } = await send(realm, { path: `/token?${query}` });
      const headers = { authorization: `Bearer ${JSON.parse(`${body}`).token}` };
      const anonymous = true;
      const pull = await send(registry, { path: BLOB, headers, anonymous });
      const path = '/v2/team/app/blobs/uploads/';
      const push = await send(registry, { method: 'POST', path, headers, anonymous });

      assert.equal(pull.status, 404);
      assert.equal(push.status, 401);
    });
  });

  describe(`${name} with TLS`, { skip }, () => {
    let certificates: Certificates;
    let registry: RunningRegistry;

    before(async () => {
      certificates = await makeCertificates();
      registry = await start({ tls: certificates });
    });
    after(async () => {
      await registry.close();
      await certificates.remove();
    });

    test('is trusted by who trusts its authority', async () => {
      const ping = await send(registry, { path: '/v2/' });

      assert.match(registry.url, /^https:/);
      assert.equal(ping.status, 200);
    });

    test('goes by the name of localhost too', async () => {
      const path = `${registry.url.replace('127.0.0.1', 'localhost')}/v2/`;

      const ping = await send(registry, { path });

      assert.equal(ping.status, 200);
    });

    test('is trusted by nobody else', async () => {
      await assert.rejects(send(registry.url, { path: '/v2/' }), {
        code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
      });
    });

    test('gives https in its Locations', async () => {
      const path = '/v2/team/app/blobs/uploads/';

      const started = await send(registry, { method: 'POST', path });

      assert.match(started.headers.location ?? '', /^https:/);
    });

    test('holds an image that was pushed with TLS', async () => {
      const { digest } = await pushImage(registry, { repository: 'team/app', tag: 'v1' });

      const faults = await verifyImage(registry, 'team/app', 'v1', digest);

      assert.deepEqual(faults, []);
    });
  });

  describe(`${name} with relative Locations`, { skip }, () => {
    test('gives paths', async (context) => {
      const registry = await start({ relativeLocations: true });
      context.after(() => registry.close());
      const path = '/v2/team/app/blobs/uploads/';

      const started = await send(registry, { method: 'POST', path });

      assert.match(started.headers.location ?? '', /^\/v2\/team\/app\/blobs\/uploads\/.+\?_state=/);
    });
  });
}
