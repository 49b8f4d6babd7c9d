import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Credential } from '../../src/registry/credentials.ts';
import { failureOf } from '../registry/opening.ts';
import { meet } from './stranger.ts';
import { LOGIN, visit } from './visit.ts';

const LOGINS: Readonly<Record<string, Credential>> = {
  'a password': LOGIN,
  'an identity token': { kind: 'identity-token', token: 'refresh-hunter2' },
};

describe('A token service that sends somebody elsewhere', () => {
  for (const [what, credential] of Object.entries(LOGINS))
    for (const status of [301, 302, 303, 307, 308])
      test(`by ${status} does not move ${what}`, async (context) => {
        const stranger = await meet(context, (_, response) => response.end('{"token": "abc"}'));
        const service = await meet(context, (_, response) => {
          response.writeHead(status, { location: `${stranger.url}/token` }).end();
        });
        const registry = await meet(context, (_, response) => {
          const challenge = `Bearer realm="${service.url}/token",service="x"`;
          response.writeHead(401, { 'www-authenticate': challenge }).end();
        });
        const repository = await visit(context, registry.host, { credential });

        const failure = await failureOf(repository.fetchManifest('v1'));

        assert.match(failure.message, new RegExp(`gives no token: it answered ${status}`));
        assert.doesNotMatch(failure.message, /hunter2/);
        assert.equal(service.asked.length, 1);
        assert.deepEqual(stranger.asked, []);
      });

  test('does not move a token that it gave before', async (context) => {
    const stranger = await meet(context, (_, response) => response.writeHead(404).end());
    const service = await meet(context, (_, response) => response.end('{"token": "abc"}'));
    const registry = await meet(context, (request, response) => {
      const challenge = `Bearer realm="${service.url}/token",service="x"`;
      if (request.headers.authorization === 'Bearer abc')
        response.writeHead(307, { location: `${stranger.url}${request.url}` }).end();
      else response.writeHead(401, { 'www-authenticate': challenge }).end();
    });
    const repository = await visit(context, registry.host);

    await assert.rejects(repository.fetchManifest('v1'), /answered 404/);

    assert.deepEqual(
      stranger.asked.map(({ authorization }) => authorization),
      [undefined],
    );
  });
});
