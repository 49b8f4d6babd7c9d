import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Access } from '../../src/cluster/kubeconfig.ts';
import type { UserEntry } from '../../src/cluster/kubeconfig-entries.ts';
import { openSession } from '../../src/cluster/session.ts';

function access(user: UserEntry, server = 'https://api.example'): Access {
  return {
    context: 'test',
    cluster: { server, skipTlsVerify: false, disableCompression: false },
    userName: 'ada',
    user,
    namespace: 'default',
  };
}

async function headersFor(user: UserEntry, token?: string, server?: string): Promise<object> {
  const { headers, dispatcher } = await openSession(access(user, server), { token }, undefined);
  await dispatcher.close();
  return headers;
}

describe('the headers of a session', () => {
  it('carry a token', async () => {
    assert.deepEqual(await headersFor({}, 't'), { authorization: 'Bearer t' });
  });

  it('carry a user and a password', async () => {
    const authorization = `Basic ${Buffer.from('ada:p:w').toString('base64')}`;

    assert.deepEqual(await headersFor({ username: 'ada', password: 'p:w' }), { authorization });
  });

  it('carry all of an impersonation', async () => {
    const user = {
      as: 'carol',
      asUid: '7',
      asGroups: ['dev', 'ops'],
      asUserExtra: { 'example.com/Reason (why)': ['a', 'b'] },
    };

    assert.deepEqual(await headersFor(user, 't'), {
      authorization: 'Bearer t',
      'impersonate-user': 'carol',
      'impersonate-uid': '7',
      'impersonate-group': ['dev', 'ops'],
      'impersonate-extra-example.com%2Freason%20%28why%29': ['a', 'b'],
    });
  });

  it('carry nothing secret to a server without TLS', async () => {
    const user = { username: 'ada', password: 'pw', token: 't' };

    assert.deepEqual(await headersFor(user, undefined, 'http://127.0.0.1:8001'), {});
  });

  it('are not made from a certificate that is none, and the error does not repeat it', async () => {
    const user = { clientCertificate: '/no/such/file.crt', clientKey: '/no/such/file.key' };

    await assert.rejects(headersFor(user), {
      reason: 'configuration',
      message: 'cannot use the login of user "ada": /no/such/file.crt does not exist',
    });
  });

  it('are those of the OpenID token that the client library keeps fresh', async () => {
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const token = [part({ alg: 'none' }), part({ exp: 4_000_000_000 }), 'signature'].join('.');
    const authProvider = { name: 'oidc', config: { 'id-token': token } };

    assert.deepEqual(await headersFor({ authProvider }), { authorization: `Bearer ${token}` });
  });
});
