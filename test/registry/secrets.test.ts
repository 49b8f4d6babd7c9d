import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { inspect } from 'node:util';
import type { Credential } from '../../src/registry/credentials.ts';
import { startRegistry, type TestRegistry } from '../support/registry.ts';
import type { Fault } from '../support/registry-faults.ts';
import { content, failureOf, open, openBare } from './opening.ts';

const MARKER = 'mArKeR-0123';
const USER = { username: `user-${MARKER}`, password: `pass-${MARKER}:$"\\ü` };
const BASE64 = Buffer.from(`${USER.username}:${USER.password}`).toString('base64');
const BLOB = content('the bytes of a layer');
const BLOB_ABSENT = content('absent');

/** Everything an error says, its causes and properties included. */
const allOf = (error: unknown): string =>
  inspect(error, { depth: 20, showHidden: false, maxStringLength: null, maxArrayLength: null });

const FAULTS: Readonly<Record<string, Fault>> = {
  'nothing goes wrong but the right': {},
  'the connection breaks': { reset: true },
  'the answer is cut': { dropAfter: 3 },
  '400': { answer: { status: 400, body: 'no' } },
  '401 without a challenge': { answer: { status: 401, body: '' } },
  '401 again and again': { unauthorized: true },
  '403': { answer: { status: 403 } },
  '404': { answer: { status: 404 } },
  '413': { answer: { status: 413, body: '' } },
  '500': { answer: { status: 500, body: '' } },
  'a redirect to nowhere': {
    answer: { status: 307, headers: { location: 'http://127.0.0.1:1/?signature=x' } },
  },
  'a broken header': { headers: { 'docker-content-digest': 'x' }, body: '<html>' },
};

for (const auth of ['basic', 'token'] as const)
  describe(`no error holds a secret, with ${auth}`, () => {
    let registry: TestRegistry;
    beforeEach(async () => {
      registry = await startRegistry({ auth, users: [USER] });
    });
    afterEach(() => registry.close());

    const credentials: readonly Credential[] = [
      { kind: 'password', ...USER },
      { kind: 'password', username: USER.username, password: `wrong-${MARKER}` },
      { kind: 'identity-token', token: `token-${MARKER}` },
    ];
    for (const of of auth === 'token'
      ? (['token', 'manifest', 'blob', 'upload'] as const)
      : (['manifest', 'blob', 'upload'] as const))
      for (const [what, fault] of Object.entries(FAULTS))
        test(`when ${what} (${of})`, async (context) => {
          registry.faults.add({ class: of, ...fault });
          const secrets = [MARKER, BASE64, Buffer.from(MARKER).toString('base64').slice(0, 10)];

          const settled = await Promise.allSettled(
            credentials.flatMap((credential) => {
              const repository = openBare(context, registry, { credential });
              return [
                repository.resolve('v1'),
                repository.fetchManifest('v1'),
                repository.openBlob(BLOB_ABSENT.descriptor, 0),
                repository.hasBlob(BLOB.descriptor),
                repository.putBlob(BLOB.descriptor, BLOB.open, { mountFrom: 'team/x' }),
                Array.fromAsync(repository.listTags()),
              ];
            }),
          );

          const failures = settled.flatMap((each) =>
            each.status === 'rejected' ? [each.reason] : [],
          );
          assert.ok(failures.length > 0);
          for (const failure of failures)
            for (const secret of secrets) {
              const said = allOf(failure);
              assert.ok(!said.includes(secret), said);
            }
        });
  });

test('a password that no header can hold is sent all the same', async (context) => {
  const user = { username: 'üser', password: 'line\nend\0 ü€' };
  const registry = await startRegistry({ auth: 'basic', users: [user] });
  context.after(() => registry.close());
  const repository = await open(context, registry);

  const found = await repository.resolve('v1');
  const error = await failureOf(
    (
      await open(context, registry, { credential: { kind: 'password', ...user, password: 'x' } })
    ).resolve('v1'),
  );

  assert.equal(found, undefined);
  assert.match(error.message, /401/);
});
