import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';
import { send } from '../support/registry-client.ts';
import { basicAuthorization, PUSHER, READER } from '../support/registry-users.ts';
import {
  startTokenServer,
  type TokenServer,
  type TokenServerOptions,
} from '../support/token-server.ts';

const HEADERS = { authorization: basicAuthorization(PUSHER) };

describe('the token server', () => {
  let server: TokenServer;
  const ask = async (options: Partial<TokenServerOptions>, query = '') => {
    server = await startTokenServer({ users: [PUSHER, READER], ...options });
    const { body } = await send(server.realm, { path: `/token?${query}`, headers: HEADERS });
    return JSON.parse(`${body}`);
  };
  afterEach(() => server.close());

  test('gives what was asked for and is allowed', async () => {
    const scopes = 'scope=repository:a/b:pull,push&scope=repository:c:pull registry:catalog:*';
    const { token, access_token, expires_in } = await ask({}, scopes);

    assert.equal(token, access_token);
    assert.equal(expires_in, 300);
    assert.deepEqual(server.accessOf(token), [
      { type: 'repository', name: 'a/b', actions: ['pull', 'push'] },
      { type: 'repository', name: 'c', actions: ['pull'] },
      { type: 'registry', name: 'catalog', actions: ['*'] },
    ]);
  });

  test('may give the token in one field only', async () => {
    const given = await ask({ answerField: 'access_token' });

    assert.equal(given.token, undefined);
    assert.ok(server.accessOf(given.access_token));
  });

  test('may say nothing of the lifetime, or something else than the truth', async () => {
    const silent = await ask({ statedLifetimeSeconds: null });
    await server.close();
    const wrong = await ask({ lifetimeSeconds: -1, statedLifetimeSeconds: 1000 });

    assert.equal('expires_in' in silent, false);
    assert.equal(wrong.expires_in, 1000);
    assert.equal(server.accessOf(wrong.token), undefined);
  });

  test('takes back what it gave', async () => {
    const { token } = await ask({});

    server.revoke();

    assert.equal(server.accessOf(token), undefined);
  });

  test('gives a refresh token to who asks for it', async () => {
    const without = await ask({});
    await server.close();
    const given = await ask({}, 'offline_token=true');

    assert.equal(without.refresh_token, undefined);
    assert.ok(given.refresh_token);
  });

  test('may know no POST', async () => {
    await ask({ withoutPost: true });

    const { status } = await send(server.realm, { method: 'POST', path: '/token' });

    assert.equal(status, 404);
  });

  test('keeps out a refresh token that it did not give', async () => {
    await ask({});
    const body = Buffer.from('grant_type=refresh_token&refresh_token=nonsense');

    const { status } = await send(server.realm, { method: 'POST', path: '/token', body });

    assert.equal(status, 401);
  });

  test('breaks as its faults say', async () => {
    await ask({});
    server.faults.add({ class: 'token', times: 1, answer: { status: 503 } });

    const broken = await send(server.realm, { path: '/token' });
    const well = await send(server.realm, { path: '/token' });

    assert.deepEqual([broken.status, well.status], [503, 200]);
  });
});
