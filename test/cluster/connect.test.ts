import assert from 'node:assert/strict';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, connect as dial } from 'node:net';
import { delimiter, dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type ConnectOptions, connect } from '../../src/cluster/connect.ts';
import { ClusterError } from '../../src/cluster/errors.ts';
import { NAMESPACES, PODS } from '../../src/cluster/resources.ts';
import { scan } from '../../src/cluster/scan.ts';
import { makeCertificates } from '../support/certificates.ts';
import {
  type ControlPlane,
  findControlPlane,
  startControlPlane,
} from '../support/control-plane.ts';
import { run, startProcess } from '../support/process.ts';
import { skipUnless } from '../support/requirement.ts';

const { binaries, requirement } = await findControlPlane();
const V1 = 'client.authentication.k8s.io/v1';

describe('a connection to a real API server', { skip: skipUnless(requirement) }, () => {
  let plane: ControlPlane;
  let kubectl: string;

  before(async () => {
    assert.ok(binaries);
    kubectl = binaries.kubectl;
    // Without its cache the server reads lists from etcd, where their places can be made to expire.
    plane = await startControlPlane(binaries, { parameters: ['--watch-cache=false'] });
    await plane.kubectl(['create', 'clusterrole', 'seer', '--verb=list', '--resource=namespaces']);
    // A user of its own for the certificate, and a group for those who act as others.
    await plane.kubectl([
      'create',
      'clusterrolebinding',
      'carol',
      '--clusterrole=seer',
      '--user=carol',
    ]);
    await plane.kubectl([
      'create',
      'clusterrolebinding',
      'watchers',
      '--clusterrole=seer',
      '--group=watchers',
    ]);
  });
  after(() => plane?.end());

  /** Whether the login is good enough to list namespaces. */
  const canList = async (options: ConnectOptions): Promise<boolean> => {
    const cluster = await connect({ environment: {}, ...options });
    try {
      const names: unknown[] = [];
      for await (const object of cluster.list(NAMESPACES)) names.push(object);
      return names.length > 0;
    } finally {
      await cluster.close();
    }
  };
  const base64 = (text: string) => Buffer.from(text).toString('base64');
  const login = (source: string, more: object = {}) => ({
    exec: {
      apiVersion: V1,
      command: process.execPath,
      args: ['--eval', source],
      interactiveMode: 'Never',
      ...more,
    },
  });
  const answering = (status: object) =>
    `console.log(${JSON.stringify(JSON.stringify({ apiVersion: V1, kind: 'ExecCredential', status }))})`;

  it('logs in by token', async () => {
    assert.ok(await canList({ kubeconfig: plane.kubeconfig }));
  });

  it('logs in by a token file beside the kubeconfig', async () => {
    await writeFile(join(plane.folder, 'token'), `${plane.adminToken}\n`);
    const kubeconfig = await plane.writeKubeconfig('token-file', { tokenFile: 'token' });

    assert.ok(await canList({ kubeconfig }));
  });

  it('logs in by a token of a service account', async () => {
    await plane.kubectl(['create', 'serviceaccount', 'reader', '-n', 'default']);
    await plane.kubectl([
      'create',
      'clusterrolebinding',
      'reader',
      '--clusterrole=seer',
      '--serviceaccount=default:reader',
    ]);
    const token = (await plane.kubectl(['create', 'token', 'reader', '-n', 'default'])).trim();

    assert.ok(await canList({ kubeconfig: await plane.writeKubeconfig('account', { token }) }));
  });

  it('logs in by a client certificate, inline or in files', async () => {
    const { certificate, key } = plane.certificateFor('carol');
    await writeFile(join(plane.folder, 'carol.crt'), certificate);
    await writeFile(join(plane.folder, 'carol.key'), key);
    const inline = {
      'client-certificate-data': base64(certificate),
      'client-key-data': base64(key),
    };
    const files = { 'client-certificate': 'carol.crt', 'client-key': './carol.key' };

    assert.ok(await canList({ kubeconfig: await plane.writeKubeconfig('inline', inline) }));
    assert.ok(await canList({ kubeconfig: await plane.writeKubeconfig('files', files) }));
  });

  it('logs in by a program beside the kubeconfig, which gives a certificate', async () => {
    const { certificate, key } = plane.certificateFor('carol');
    const status = { clientCertificateData: certificate, clientKeyData: key };
    const credential = join(plane.folder, 'credential.json');
    await writeFile(credential, JSON.stringify({ apiVersion: V1, kind: 'ExecCredential', status }));
    const script = join(plane.folder, 'login.sh');
    await writeFile(script, `#!/bin/sh\ncat '${credential}'\n`);
    await chmod(script, 0o755);
    const exec = { apiVersion: V1, command: './login.sh', interactiveMode: 'Never' };

    const kubeconfig = await plane.writeKubeconfig('exec-certificate', { exec });

    assert.ok(await canList({ kubeconfig, environment: { PATH: process.env['PATH'] } }));
  });

  it('runs the login program once for a whole scan', async () => {
    const runs = join(plane.folder, 'runs');
    const source = `require('node:fs').appendFileSync(${JSON.stringify(runs)}, 'x');${answering({ token: plane.adminToken })}`;
    const kubeconfig = await plane.writeKubeconfig('exec-once', login(source));
    const cluster = await connect({ kubeconfig, environment: {} });

    const { unreadable } = await scan(cluster);
    await cluster.close();

    assert.deepEqual(unreadable, []);
    assert.equal(await readFile(runs, 'utf8'), 'x');
  });

  it('renews a login that the server refuses, once for all lists', async () => {
    const runs = join(plane.folder, 'renewals');
    const source = `
      const fs = require('node:fs');
      fs.appendFileSync(${JSON.stringify(runs)}, 'x');
      const isFirst = fs.readFileSync(${JSON.stringify(runs)}, 'utf8') === 'x';
      const status = { token: isFirst ? 'revoked' : ${JSON.stringify(plane.adminToken)} };
      console.log(JSON.stringify({ apiVersion: '${V1}', kind: 'ExecCredential', status }));
    `;
    const kubeconfig = await plane.writeKubeconfig('exec-renewed', login(source));
    const cluster = await connect({ kubeconfig, environment: {} });

    const { unreadable } = await scan(cluster);
    await cluster.close();

    assert.deepEqual(unreadable, []);
    assert.equal(await readFile(runs, 'utf8'), 'xx');
  });

  it('says in one line that a login is refused', async () => {
    const kubeconfig = await plane.writeKubeconfig('stranger', { token: 's3cret' });
    const cluster = await connect({ kubeconfig, environment: {} });

    await assert.rejects(scan(cluster), (error) => {
      assert.ok(error instanceof ClusterError);
      assert.equal(error.reason, 'unauthorized');
      assert.equal(
        error.message,
        `${plane.server} of context "stranger" refused the login of user "stranger": Unauthorized`,
      );
      assert.match(error.hint ?? '', /^Log in again/);
      return true;
    });
    await cluster.close();
  });

  it('acts as the user and all the groups that are named', async () => {
    const user = { token: plane.adminToken, as: 'erin', 'as-groups': ['others', 'watchers'] };
    const kubeconfig = await plane.writeKubeconfig('acting', user);

    assert.ok(await canList({ kubeconfig }));
    await assert.rejects(canList({ kubeconfig, asGroups: ['others'] }), {
      reason: 'forbidden',
      said: /User "erin" cannot list/,
    });
    await assert.rejects(canList({ kubeconfig: plane.kubeconfig, asGroups: ['watchers'] }), {
      reason: 'configuration',
      message: 'groups are given to act as, but no user',
    });
  });

  it('chooses from a list of files what kubectl chooses', async () => {
    const first = join(plane.folder, 'first');
    const second = join(plane.folder, 'second');
    await writeFile(
      first,
      JSON.stringify({
        'current-context': 'x',
        clusters: [{ name: 'c', cluster: { server: 'https://first.example' } }],
        users: [{ name: 'u', user: { token: 'first' } }],
      }),
    );
    await writeFile(
      second,
      JSON.stringify({
        'current-context': 'y',
        clusters: [
          { name: 'c', cluster: { server: 'https://second.example', 'tls-server-name': 's' } },
        ],
        users: [{ name: 'u', user: { token: 'second' } }],
        contexts: [
          { name: 'x', context: { cluster: 'c', user: 'u', namespace: 'n' } },
          { name: 'y', context: { cluster: 'c', user: 'u' } },
        ],
      }),
    );
    const missing = join(plane.folder, 'missing');

    for (const files of [[first, second], [second, first], [missing, first, second], [second]]) {
      const environment = { KUBECONFIG: files.join(delimiter), PATH: process.env['PATH'] };
      const { stdout } = await run(kubectl, ['config', 'view', '--minify', '--raw', '-o', 'json'], {
        environment,
      });
      const theirs = JSON.parse(stdout);

      const cluster = await connect({ environment });

      assert.equal(cluster.name, `context "${theirs['current-context']}"`);
      assert.equal(cluster.namespace, theirs.contexts[0].context.namespace ?? 'default');
      await assert.rejects(
        async () => {
          for await (const _ of cluster.list(PODS)) assert.fail('nobody is there');
        },
        (error: Error) => error.message.includes(theirs.clusters[0].cluster.server),
      );
      await cluster.close();
    }
  });

  it('works through kubectl proxy, which speaks no TLS', async () => {
    const proxy = await startProcess({
      command: kubectl,
      arguments: [`--kubeconfig=${plane.kubeconfig}`, 'proxy', '--port=0'],
      ready: /Starting to serve on (\S+)/,
    });
    const server = `http://${proxy.ready[1]}`;

    const works = await canList({
      kubeconfig: await plane.writeKubeconfig(
        'proxied',
        {},
        { server, 'certificate-authority-data': undefined },
      ),
    }).finally(() => proxy.end());

    assert.ok(works);
  });

  it('checks the certificate of the server, unless it is told not to', async () => {
    const stranger = await makeCertificates();
    const user = { token: plane.adminToken };
    const untrusted = { 'certificate-authority-data': base64(stranger.authority) };
    const unchecked = { 'certificate-authority-data': undefined, 'insecure-skip-tls-verify': true };
    await stranger.remove();

    await assert.rejects(
      canList({ kubeconfig: await plane.writeKubeconfig('untrusted', user, untrusted) }),
      (error) => {
        assert.ok(error instanceof ClusterError);
        assert.equal(error.reason, 'unreachable');
        assert.match(
          error.message,
          /^cannot reach the API server https:.* of context "untrusted": .*certificate/,
        );
        assert.match(error.hint ?? '', /certificate-authority/);
        return true;
      },
    );
    assert.ok(
      await canList({ kubeconfig: await plane.writeKubeconfig('unchecked', user, unchecked) }),
    );
  });

  it('expects the name that the kubeconfig says the server has', async () => {
    const user = { token: plane.adminToken };
    const known = { 'tls-server-name': 'kubernetes.default.svc' };
    const unknown = { 'tls-server-name': 'other.example' };

    assert.ok(await canList({ kubeconfig: await plane.writeKubeconfig('named', user, known) }));
    await assert.rejects(
      canList({ kubeconfig: await plane.writeKubeconfig('misnamed', user, unknown) }),
      { reason: 'unreachable', message: /other\.example/ },
    );
  });

  it('needs no user for the authority of the cluster to count', async () => {
    const kubeconfig = await plane.writeKubeconfig('anonymous', {});
    const content = JSON.parse(await readFile(kubeconfig, 'utf8'));
    content.contexts[0].context.user = '';
    await writeFile(kubeconfig, JSON.stringify(content));

    await assert.rejects(canList({ kubeconfig }), {
      reason: 'forbidden',
      said: /User "system:anonymous" cannot list/,
    });
  });

  it('says in one line that nobody answers', async () => {
    const probe = createServer().listen(0, '127.0.0.1');
    await once(probe, 'listening');
    const server = `https://127.0.0.1:${(probe.address() as AddressInfo).port}`;
    await once(probe.close(), 'close');
    const kubeconfig = await plane.writeKubeconfig('nobody', {}, { server });

    await assert.rejects(canList({ kubeconfig }), {
      name: 'ClusterError',
      reason: 'unreachable',
      message: `cannot reach the API server ${server} of context "nobody": connect ECONNREFUSED ${server.slice(8)}`,
      hint: 'Check that the cluster runs, and that --context names the one that is meant.',
    });
  });

  it('names a certificate that is missing', async () => {
    const user = { 'client-certificate': 'no.crt', 'client-key': 'no.key' };
    const kubeconfig = await plane.writeKubeconfig('no-certificate', user);

    await assert.rejects(canList({ kubeconfig }), {
      reason: 'configuration',
      message: `cannot use the login of user "no-certificate": ${join(dirname(kubeconfig), 'no.crt')} does not exist`,
    });
  });

  describe('through a proxy', () => {
    let proxy: Server;
    let tunnels: string[];
    before(async () => {
      tunnels = [];
      proxy = createServer((_, response) => response.writeHead(405).end());
      proxy.on('connect', (request, socket) => {
        tunnels.push(request.url ?? '');
        // Whatever the name is, it leads to the API server, as names behind a proxy do.
        const upstream = dial(Number(new URL(plane.server).port), '127.0.0.1');
        upstream.once('connect', () => {
          socket.write('HTTP/1.1 200 OK\r\n\r\n');
          upstream.pipe(socket).pipe(upstream);
        });
        for (const end of [socket, upstream]) end.on('error', () => undefined);
      });
      await once(proxy.listen(0, '127.0.0.1'), 'listening');
    });
    after(() => {
      proxy.close();
      proxy.closeAllConnections();
    });

    const address = () => `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    const inner = { server: 'https://kubernetes.default.svc:6443' };

    it('that the kubeconfig names', async () => {
      const cluster = { ...inner, 'proxy-url': address() };
      const kubeconfig = await plane.writeKubeconfig(
        'proxy-url',
        { token: plane.adminToken },
        cluster,
      );
      tunnels = [];

      assert.ok(await canList({ kubeconfig }));
      assert.deepEqual(tunnels, ['kubernetes.default.svc:6443']);
    });

    it('that the environment names', async () => {
      const kubeconfig = await plane.writeKubeconfig(
        'https-proxy',
        { token: plane.adminToken },
        inner,
      );
      tunnels = [];

      assert.ok(await canList({ kubeconfig, environment: { HTTPS_PROXY: address() } }));
      assert.deepEqual(tunnels, ['kubernetes.default.svc:6443']);
    });

    it('that speaks SOCKS', async () => {
      const socks = await startSocksProxy(Number(new URL(plane.server).port));
      const cluster = { ...inner, 'proxy-url': `socks5://127.0.0.1:${socks.port}` };
      const user = { token: plane.adminToken };

      const works = await canList({
        kubeconfig: await plane.writeKubeconfig('socks', user, cluster),
      });
      socks.end();

      assert.ok(works);
      assert.deepEqual(socks.hosts, ['kubernetes.default.svc']);
    });

    it('but not where NO_PROXY lists the server', async () => {
      const kubeconfig = await plane.writeKubeconfig(
        'no-proxy',
        { token: plane.adminToken },
        inner,
      );
      const environment = { HTTPS_PROXY: address(), NO_PROXY: '.svc' };
      tunnels = [];

      await assert.rejects(canList({ kubeconfig, environment }), { reason: 'unreachable' });
      assert.deepEqual(tunnels, []);
    });
  });

  it('goes on where the place in a long list expires, as after a compaction of etcd', async () => {
    const names = Array.from(
      { length: 12 },
      (_, index) => `setting-${String(index).padStart(2, '0')}`,
    );
    const items = names.map((name) => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name },
      spec: { containers: [{ name: 'c', image: name }] },
    }));
    await plane.kubectl(
      ['create', '-f', '-'],
      JSON.stringify({ apiVersion: 'v1', kind: 'List', items }),
    );
    const cluster = await connect({ kubeconfig: plane.kubeconfig, environment: {}, pageSize: 5 });
    const statuses: number[] = [];
    const onHeaders = (message: unknown) =>
      statuses.push((message as { response: { statusCode: number } }).response.statusCode);
    subscribe('undici:request:headers', onHeaders);

    const found = new Set<string>();
    let isCompacted = false;
    for await (const object of cluster.list(PODS, { namespace: 'default' })) {
      found.add((object as { metadata: { name: string } }).metadata.name);
      if (!isCompacted) await compact(plane);
      isCompacted = true;
    }
    unsubscribe('undici:request:headers', onHeaders);
    await cluster.close();

    assert.deepEqual([...found].sort(), names);
    assert.ok(statuses.includes(410), `${statuses}`);
  });
});

/** Makes etcd forget its history, so that places in lists that were begun before expire. */
async function compact(plane: ControlPlane): Promise<void> {
  // Something has to be newer than the list for its place to be old.
  await plane.kubectl(['create', 'configmap', 'newer', '-n', 'default']);
  const post = async (path: string, body: object) => {
    const response = await fetch(`${plane.etcd}${path}`, {
      method: 'POST',
      body: JSON.stringify(body),
    });
    return (await response.json()) as { header: { revision: string } };
  };
  const { header } = await post('/v3/kv/range', { key: Buffer.from('/').toString('base64') });
  await post('/v3/kv/compaction', { revision: header.revision, physical: true });
}

/** Just enough of RFC 1928: no login, and every name leads to one port of this machine. */
async function startSocksProxy(target: number) {
  const hosts: string[] = [];
  const server = createTcpServer(async (socket) => {
    socket.on('error', () => undefined);
    await once(socket, 'data');
    socket.write(Buffer.of(5, 0));
    const [request] = (await once(socket, 'data')) as [Buffer];
    hosts.push(request.subarray(5, 5 + (request[4] ?? 0)).toString());
    const upstream = dial(target, '127.0.0.1');
    upstream.on('error', () => undefined);
    await once(upstream, 'connect');
    socket.write(Buffer.of(5, 0, 0, 1, 127, 0, 0, 1, 0, 0));
    upstream.pipe(socket).pipe(upstream);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return { hosts, port: (server.address() as AddressInfo).port, end: () => server.close() };
}
