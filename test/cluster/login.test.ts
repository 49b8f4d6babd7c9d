import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { ClusterError } from '../../src/cluster/errors.ts';
import type { Access } from '../../src/cluster/kubeconfig.ts';
import type { ClusterEntry, ExecEntry, UserEntry } from '../../src/cluster/kubeconfig-entries.ts';
import { loginOf } from '../../src/cluster/login.ts';

const V1 = 'client.authentication.k8s.io/v1';
const V1BETA1 = 'client.authentication.k8s.io/v1beta1';

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'login-'));
});
after(() => rm(folder, { recursive: true, force: true }));

function access(user: UserEntry, cluster: Partial<ClusterEntry> = {}): Access {
  return {
    context: 'test',
    cluster: {
      server: 'https://api.example',
      skipTlsVerify: false,
      disableCompression: false,
      ...cluster,
    },
    userName: 'ada',
    user,
    namespace: 'default',
  };
}

/** A login program that runs a few lines of JavaScript. */
function program(source: string, more: Partial<ExecEntry> = {}): ExecEntry {
  return {
    apiVersion: V1,
    command: process.execPath,
    parameters: ['--eval', source],
    environment: {},
    provideClusterInfo: false,
    interactiveMode: 'Never',
    ...more,
  };
}

function answer(status: object, apiVersion = V1): string {
  return `console.log(${JSON.stringify(JSON.stringify({ apiVersion, kind: 'ExecCredential', status }))});`;
}

/** Prints a token that counts how often the program has run. */
function counting(file: string, status: object = {}): string {
  return `
    const fs = require('node:fs');
    fs.appendFileSync(${JSON.stringify(file)}, 'x');
    const token = 'token-' + fs.readFileSync(${JSON.stringify(file)}, 'utf8').length;
    const status = { token, ...${JSON.stringify(status)} };
    console.log(JSON.stringify({ apiVersion: '${V1}', kind: 'ExecCredential', status }));
  `;
}

describe('a login without program', () => {
  it('gives the token', async () => {
    assert.deepEqual(await loginOf(access({ token: 't' }), {})(), { token: 't' });
  });

  it('reads a token file again for every request, and it outranks the token', async () => {
    const tokenFile = join(folder, 'token');
    const login = loginOf(access({ tokenFile, token: 'other' }), {});
    await writeFile(tokenFile, 'first\n');

    const first = await login();
    const same = await login();
    await writeFile(tokenFile, 'second\n');
    const second = await login();

    assert.deepEqual(first, { token: 'first' });
    assert.equal(same, first);
    assert.deepEqual(second, { token: 'second' });
  });

  it('names a token file that is missing', async () => {
    const tokenFile = join(folder, 'no-token');

    await assert.rejects(loginOf(access({ tokenFile }), {})(), {
      reason: 'configuration',
      message: `cannot read the token file ${tokenFile} of user "ada": no such file or folder`,
    });
  });

  it('sends nothing secret to a server without TLS, as kubectl does', async () => {
    const plain = access({ token: 't', exec: program('') }, { server: 'http://127.0.0.1:8001' });

    assert.deepEqual(await loginOf(plain, {})(), {});
  });

  it('leaves the program alone where a certificate or a password is given', async () => {
    const exec = program('process.exit(1)');

    assert.deepEqual(await loginOf(access({ exec, clientCertificateData: 'x' }), {})(), {});
    assert.deepEqual(await loginOf(access({ exec, username: 'u' }), {})(), {});
  });
});

describe('a login program', () => {
  const run = (exec: ExecEntry, cluster: Partial<ClusterEntry> = {}, environment = {}) =>
    loginOf(access({ exec }, cluster), environment)();

  for (const apiVersion of [V1, V1BETA1])
    it(`gives a token by ${apiVersion}`, async () => {
      const identity = await run(program(answer({ token: 't' }, apiVersion), { apiVersion }));

      assert.equal(identity.token, 't');
    });

  it('gives a certificate with its key', async () => {
    const status = { clientCertificateData: 'CERTIFICATE', clientKeyData: 'KEY' };

    const { token, certificate, key } = await run(program(answer(status)));

    assert.deepEqual([token, certificate, key], [undefined, 'CERTIFICATE', 'KEY']);
  });

  it('sees the environment, its own variables, and what it logs in to', async () => {
    const authority = join(folder, 'ca.crt');
    await writeFile(authority, 'the authority');
    const exec = program(
      `
      const info = JSON.parse(process.env.KUBERNETES_EXEC_INFO);
      const token = [process.env.OUTER, process.env.INNER, JSON.stringify(info)].join(' ');
      console.log(JSON.stringify({ apiVersion: info.apiVersion, kind: 'ExecCredential', status: { token } }));
      `,
      { environment: { INNER: 'inner' }, provideClusterInfo: true },
    );
    const cluster = {
      certificateAuthority: authority,
      tlsServerName: 'api',
      execConfiguration: { audience: 'a' },
    };

    const { token = '' } = await run(exec, cluster, { OUTER: 'outer' });

    const [outer, inner, info = ''] = token.split(' ');
    assert.deepEqual([outer, inner], ['outer', 'inner']);
    assert.deepEqual(JSON.parse(info), {
      apiVersion: V1,
      kind: 'ExecCredential',
      spec: {
        interactive: false,
        cluster: {
          server: 'https://api.example',
          'tls-server-name': 'api',
          'certificate-authority-data': Buffer.from('the authority').toString('base64'),
          config: { audience: 'a' },
        },
      },
    });
  });

  it('is not told about the cluster unless it asks to be', async () => {
    const exec = program(`
      const token = process.env.KUBERNETES_EXEC_INFO;
      console.log(JSON.stringify({ apiVersion: '${V1}', kind: 'ExecCredential', status: { token } }));
    `);

    const { token = '' } = await run(exec);

    assert.deepEqual(JSON.parse(token).spec, { interactive: false });
  });

  it('runs once for all who ask at the same time, and not again while it is good', async () => {
    const file = join(folder, 'once');
    const login = loginOf(access({ exec: program(counting(file)) }), {});

    const together = await Promise.all(Array.from({ length: 10 }, () => login()));
    const later = await login();

    assert.equal(await readFile(file, 'utf8'), 'x');
    assert.ok([...together, later].every((identity) => identity === together[0]));
  });

  it('runs again when its answer has expired', async () => {
    const file = join(folder, 'expired');
    const exec = program(counting(file, { expirationTimestamp: '2020-01-01T00:00:00Z' }));
    const login = loginOf(access({ exec }), {});

    const first = await login();
    const second = await login();

    assert.deepEqual([first.token, second.token], ['token-1', 'token-2']);
  });

  it('runs again when the server refused its answer, once for all who were refused', async () => {
    const file = join(folder, 'refused');
    const login = loginOf(access({ exec: program(counting(file)) }), {});
    const rejected = await login();

    const renewed = await Promise.all([login(rejected), login(rejected)]);
    const late = await login(rejected);

    assert.deepEqual(
      [...renewed, late].map(({ token }) => token),
      ['token-2', 'token-2', 'token-2'],
    );
  });

  const faults: readonly [string, ExecEntry, RegExp][] = [
    ['is not installed', program('', { command: 'no-such-login-program' }), /is not installed$/],
    ['fails', program('process.exit(3)'), /failed with exit code 3$/],
    ['answers no JSON', program('console.log("s3cret")'), /answered something that is not JSON$/],
    [
      'answers something else',
      program('console.log("{}")'),
      /did not answer with an ExecCredential/,
    ],
    [
      'answers another version',
      program(answer({ token: 's3cret' }, V1BETA1)),
      /ExecCredential of .*\/v1$/,
    ],
    ['answers nothing', program(answer({})), /neither token nor certificate$/],
    [
      'answers half',
      program(answer({ clientKeyData: 's3cret' })),
      /only one of certificate and key$/,
    ],
    [
      'speaks a version that is gone',
      program('', { apiVersion: 'client.authentication.k8s.io/v1alpha1' }),
      /is set up for "client\.authentication\.k8s\.io\/v1alpha1"; expected/,
    ],
    [
      'does not say whether it asks',
      program('', { interactiveMode: undefined }),
      /needs an interactiveMode/,
    ],
  ];
  for (const [fault, exec, message] of faults)
    it(`that ${fault} is named, with what to do and without its output`, async () => {
      const hinted = { ...exec, installHint: 'Install it from the intranet.' };

      await assert.rejects(run(hinted, {}, process.env), (error) => {
        assert.ok(error instanceof ClusterError);
        assert.equal(error.reason, 'configuration');
        assert.match(error.message, message);
        assert.match(error.message, /of user "ada"/);
        assert.equal(error.hint, 'Install it from the intranet.');
        assert.doesNotMatch(`${error.message} ${error.hint}`, /s3cret|\n/);
        return true;
      });
    });

  it('is ended where the user interrupts', async () => {
    const stop = new AbortController();
    const started = join(folder, 'started');
    const exec = program(`
      require('node:fs').writeFileSync(${JSON.stringify(started)}, '');
      setInterval(() => {}, 1000);
    `);
    const login = loginOf(access({ exec }), process.env, stop.signal);

    const waiting = login();
    stop.abort(new Error('interrupted'));

    await assert.rejects(waiting, { message: 'interrupted' });
  });
});
