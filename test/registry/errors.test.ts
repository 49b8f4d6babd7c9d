import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, type TestContext, test } from 'node:test';
import { NetworkError, RegistryError } from '../../src/registry/errors.ts';
import { startRegistry, type TestRegistry } from '../support/registry.ts';
import type { FaultAnswer } from '../support/registry-faults.ts';
import { failureOf, openBare } from './opening.ts';

describe('a refusal', () => {
  let registry: TestRegistry;
  beforeEach(async () => {
    registry = await startRegistry();
  });
  afterEach(() => registry.close());

  const refused = async (context: TestContext, answer: FaultAnswer) => {
    registry.faults.add({ class: 'manifest', answer });
    const error = await failureOf(openBare(context, registry).fetchManifest('v1'));
    assert.ok(error instanceof RegistryError);
    return error;
  };
  const errors = (...list: readonly unknown[]) => JSON.stringify({ errors: list });

  test('says who refused what, and in which words', async (context) => {
    const body = errors({ code: 'DENIED', message: 'no' }, { code: 'NAME_UNKNOWN', message: '' });

    const error = await refused(context, { status: 403, body });

    assert.equal(
      error.message,
      `${registry.host} answered 403 to GET /v2/team/app/manifests/v1 (DENIED: no; NAME_UNKNOWN)`,
    );
    assert.deepEqual([error.code, error.status, error.host], ['DENIED', 403, registry.host]);
    assert.deepEqual(error.codes, ['DENIED', 'NAME_UNKNOWN']);
    assert.ok(error.forbidden);
  });

  for (const [status, code] of Object.entries({
    400: 'BAD_REQUEST',
    401: 'UNAUTHORIZED',
    403: 'DENIED',
    404: 'NOT_FOUND',
    413: 'TOO_LARGE',
    418: 'REFUSED',
    505: 'UNAVAILABLE',
  }))
    for (const body of ['', '<html>no</html>', '{"errors": "x"}', 'null', errors(12, {}, null)])
      test(`without a code is ${code} by its status ${status}: ${body}`, async (context) => {
        const error = await refused(context, { status: Number(status), body });

        assert.equal(error.code, code);
        assert.deepEqual(error.codes, []);
        assert.match(error.message, /manifests\/v1$/);
      });

  test('is shown on one line, without control characters and not at length', async (context) => {
    const message = `red \u001b[31m\n\r\u202eevil ${'long '.repeat(1000)}`;

    const error = await refused(context, {
      status: 400,
      body: errors(...Array(50).fill({ code: 'UNKNOWN', message })),
    });

    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
    assert.doesNotMatch(error.message, /[\u0000-\u001f\u202e]/);
    assert.ok(error.message.length < 500);
  });

  test('takes no text for a code that is none', async (context) => {
    const body = errors({ code: '\u001b[2J', message: 'x' }, { code: 'lower', message: 'x' });

    const error = await refused(context, { status: 400, body });

    assert.deepEqual(error.codes, []);
  });

  test('reads so much of an endless explanation', async (context) => {
    const error = await refused(context, {
      status: 400,
      body: errors({ code: 'DENIED', message: 'x'.repeat(200_000) }),
    });

    assert.deepEqual(error.codes, []);
    await registry.settle();
  });

  test('carries what Retry-After says', async (context) => {
    registry.faults.add({
      class: 'manifest',
      answer: { status: 429, headers: { 'retry-after': '7200' } },
    });
    const error = await failureOf(openBare(context, registry).fetchManifest('v1'));

    assert.ok(error instanceof RegistryError);
    assert.equal(error.retryAfterMs, 7_200_000);
    assert.match(error.message, /; it asks to wait until \d{4}-\d\d-\d\d \d\d:\d\d UTC$/);
    // Nobody waits for two hours.
    assert.equal(error.transient, false);
  });

  test('never shows a signed address', async (context) => {
    const location = `http://127.0.0.1:1/elsewhere/x?X-Amz-Signature=hunter2`;
    registry.faults.add({ class: 'manifest', answer: { status: 307, headers: { location } } });
    const unreachable = await failureOf(openBare(context, registry).fetchManifest('v1'));
    registry.faults.clear();
    registry.faults.add(
      {
        class: 'manifest',
        answer: { status: 307, headers: { location: '/elsewhere/x?X-Amz-Signature=hunter2' } },
      },
      { class: 'elsewhere', answer: { status: 403, body: '' } },
    );
    const denied = await failureOf(openBare(context, registry).fetchManifest('v1'));

    for (const error of [unreachable, denied]) assert.doesNotMatch(error.message, /hunter2|Amz/);
    assert.ok(unreachable instanceof NetworkError);
    assert.ok(denied instanceof RegistryError);
  });
});

describe('a broken connection', () => {
  const because = (code: string, message = code) =>
    new NetworkError('r.example', Object.assign(new Error(message), { code }));

  test('is told by its innermost cause', () => {
    const inner = Object.assign(new Error('x'), { code: 'ECONNREFUSED' });
    const cause = new TypeError('fetch failed', { cause: new AggregateError([inner], 'all') });

    const error = new NetworkError('r.example', cause);

    assert.equal(error.message, 'r.example: nothing answers there (connection refused)');
    assert.equal(error.reason, 'ECONNREFUSED');
  });

  test('may have gone well a moment later, but not with a wrong name or certificate', () => {
    const transient = ['ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'EAI_AGAIN', 'UND_ERR_SOCKET'];
    const lasting = ['ENOTFOUND', 'CERT_HAS_EXPIRED', 'DEPTH_ZERO_SELF_SIGNED_CERT', 'EPROTO'];

    assert.deepEqual(
      transient.filter((code) => !because(code).transient),
      [],
    );
    assert.deepEqual(
      lasting.filter((code) => because(code).transient),
      [],
    );
  });

  test('is told in its own words where we have none, on one line', () => {
    const error = because('EODD', 'odd\n\u001b[31mthing');

    assert.equal(error.message, 'r.example: odd [31mthing');
  });

  for (const cause of [undefined, null, 'text', 12, {}])
    test(`may be ${JSON.stringify(cause)}, as whatever was thrown`, () => {
      assert.match(new NetworkError('r.example', cause).message, /^r\.example: ./);
    });
});
