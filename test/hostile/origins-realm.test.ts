import assert from 'node:assert/strict';
import { after, before, describe, type TestContext, test } from 'node:test';
import { inspect } from 'node:util';
import { failureOf } from '../registry/opening.ts';
import { type Certificates, makeCertificates } from '../support/certificates.ts';
import { meet, type Stranger } from './stranger.ts';
import { BASIC, visit } from './visit.ts';

/** A registry that answers every request with 401 and this challenge. */
function asking(context: TestContext, challenge: string, tls?: Certificates): Promise<Stranger> {
  return meet(
    context,
    (_, response) => response.writeHead(401, { 'www-authenticate': challenge }).end(),
    tls,
  );
}

const handingOut = (context: TestContext): Promise<Stranger> =>
  meet(context, (_, response) => response.end('{"token": "abc"}'));

describe('A registry with TLS that wants logins over plain HTTP gets none', () => {
  let tls: Certificates;
  before(async () => {
    tls = await makeCertificates();
  });
  after(() => tls.remove());

  const addresses: Readonly<Record<string, (stranger: Stranger) => string>> = {
    'at another address': (stranger) => stranger.at('0.0.0.0'),
    'at loopback in the clothes of IPv6': (stranger) => stranger.at('[::ffff:127.0.0.1]'),
    'at an address that begins like loopback': (stranger) =>
      stranger.at('127.0.0.1@0.0.0.0').replace('//', '//localhost:'),
    'at a name that begins like loopback': () => 'http://127.0.0.1.example.invalid',
    'at a name that begins like localhost': () => 'http://localhost.example.invalid',
  };
  for (const [what, addressOf] of Object.entries(addresses))
    test(what, async (context) => {
      const service = await handingOut(context);
      const realm = `${addressOf(service)}/token`;
      const registry = await asking(context, `Bearer realm="${realm}",service="x"`, tls);
      const repository = await visit(context, registry.host, { settings: { ca: tls.authority } });

      const failure = await failureOf(repository.fetchManifest('v1'));

      assert.equal(failure.name, 'CredentialError');
      assert.match(failure.message, /over plain HTTP/);
      assert.deepEqual(service.asked, []);
      assert.ok(registry.asked.every(({ authorization }) => authorization === undefined));
    });

  test('and where it takes Basic, too, that is what it gets', async (context) => {
    const service = await handingOut(context);
    const challenge = `Bearer realm="${service.at('0.0.0.0')}/token", Basic realm="y"`;
    const registry = await asking(context, challenge, tls);
    const repository = await visit(context, registry.host, { settings: { ca: tls.authority } });

    await assert.rejects(repository.fetchManifest('v1'), /answered 401/);

    assert.deepEqual(service.asked, []);
    assert.equal(registry.asked.at(-1)?.authorization, BASIC);
  });
});

test('What stands in a realm beside its address is neither used as a login nor shown', async (context) => {
  const service = await meet(context, (_, response) => response.writeHead(403).end());
  const address = service.at('realm-user:realm-pass@127.0.0.1');
  const realm = `${address}/token?key=realm-key#realm-mark`;
  const registry = await asking(context, `Bearer realm="${realm}",service="x"`);

  const failure = await failureOf((await visit(context, registry.host)).fetchManifest('v1'));

  assert.doesNotMatch(inspect(failure, { depth: 10 }), /realm-(user|pass|key|mark)|hunter2/);
  assert.deepEqual(
    service.asked.map(({ path, authorization }) => [path, authorization]),
    [['/token?key=realm-key&service=x&scope=repository%3Ateam%2Fapp%3Apull%2Cpush', BASIC]],
  );
});

const NONSENSE: readonly string[] = [
  '',
  ' ',
  ',,,,',
  '"',
  'Bearer',
  'Bearer realm',
  'Bearer realm=',
  'Bearer realm=""',
  'Bearer realm="/token"',
  'Bearer realm="file:///etc/passwd"',
  'Bearer realm="javascript:alert(1)"',
  'Bearer realm="ftp://127.0.0.1/"',
  'Bearer realm="http://["',
  'Bearer realm="http://',
  'Bearer realm="http://\\"',
  'Bearer service="x",scope="repository:team/app:pull"',
  'realm="http://127.0.0.1:1/token"',
  'Bearer, realm="http://127.0.0.1:1/token"',
  `${'a='.repeat(5_000)}"`,
  `Bearer ${'realm="x",'.repeat(1_000)}`,
  `Bearer realm="${'\\"'.repeat(4_000)}`,
  'Negotiate, NTLM TlRMTVNTUAAC, Digest realm="x", nonce="y"',
  '\u00ff\u0080\u009b2J',
];

describe('A challenge that makes no sense', () => {
  for (const challenge of NONSENSE)
    test(`is a refusal, and brings no login: ${JSON.stringify(challenge.slice(0, 60))}`, async (context) => {
      const registry = await asking(context, challenge);
      const repository = await visit(context, registry.host);

      const failure = await failureOf(repository.fetchManifest('v1'));

      const brought = new Set(registry.asked.map(({ authorization }) => authorization));
      assert.match(failure.message, /answered 401|nothing answers there/);
      assert.deepEqual(brought, new Set([undefined]));
    });

  test('may come five hundred times', async (context) => {
    const registry = await meet(context, (_, response) => {
      const challenges = Array.from({ length: 500 }, (_, number) => `B${number}`);
      response.writeHead(401, { 'www-authenticate': challenges }).end();
    });

    await assert.rejects((await visit(context, registry.host)).fetchManifest('v1'));

    assert.ok(registry.asked.every(({ authorization }) => authorization === undefined));
  });
});
