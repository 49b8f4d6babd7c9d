import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { meet } from './stranger.ts';
import { visit } from './visit.ts';

describe('An insecure registry that wants logins elsewhere over plain HTTP gets none', () => {
  // "insecure" holds for the registry's own host alone.
  for (const name of ['0.0.0.0', '[::ffff:127.0.0.1]'])
    test(name, async (context) => {
      const service = await meet(context, (_, response) => response.end('{"token": "abc"}'));
      const registry = await meet(context, (_, response) => {
        const challenge = `Bearer realm="${service.at(name)}/token",service="x"`;
        response.writeHead(401, { 'www-authenticate': challenge }).end();
      });
      const repository = await visit(context, registry.host);

      await assert.rejects(repository.fetchManifest('v1'), { name: 'CredentialError' });

      assert.deepEqual(service.asked, []);
    });
});
