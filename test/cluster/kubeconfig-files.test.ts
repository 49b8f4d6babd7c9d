import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { inClusterAccess } from '../../src/cluster/in-cluster.ts';
import { defaultPaths, loadAccess } from '../../src/cluster/kubeconfig-files.ts';

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kubeconfig-'));
});
after(() => rm(folder, { recursive: true, force: true }));

async function file(name: string, content: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}

function kubeconfig(name: string): string {
  return `
apiVersion: v1
kind: Config
current-context: ${name}
clusters: [{name: ${name}, cluster: {server: https://${name}.example}}]
users: [{name: shared, user: {token: token-of-${name}}}]
contexts: [{name: ${name}, context: {cluster: ${name}, user: shared}}]
`;
}

describe('the kubeconfig files that are read', () => {
  it('are those of KUBECONFIG, each once and without empty names', () => {
    const listed = ['', '/a', '/b', '/a'].join(delimiter);

    assert.deepEqual(defaultPaths({ KUBECONFIG: listed, HOME: '/h' }), ['/a', '/b']);
  });

  it('are ~/.kube/config where KUBECONFIG is unset or empty', () => {
    const expected = [join('/h', '.kube', 'config')];

    assert.deepEqual(defaultPaths({ HOME: '/h' }), expected);
    assert.deepEqual(defaultPaths({ HOME: '/h', KUBECONFIG: '' }), expected);
  });

  it('may be missing or empty in a list, and the first to define a name wins', async () => {
    const one = await file('one', kubeconfig('one'));
    const two = await file('two', kubeconfig('two'));
    const empty = await file('empty', '');
    const list = [join(folder, 'missing'), empty, one, two].join(delimiter);

    const access = await loadAccess({ environment: { KUBECONFIG: list } });
    const other = await loadAccess({ environment: { KUBECONFIG: list }, context: 'two' });

    assert.equal(access.cluster.server, 'https://one.example');
    assert.equal(other.cluster.server, 'https://two.example');
    assert.equal(other.user.token, 'token-of-one');
  });

  it('are the one that is named alone, whatever KUBECONFIG says', async () => {
    const one = await file('one', kubeconfig('one'));
    const two = await file('two', kubeconfig('two'));

    const access = await loadAccess({ kubeconfig: two, environment: { KUBECONFIG: one } });

    assert.equal(access.user.token, 'token-of-two');
    await assert.rejects(
      loadAccess({ kubeconfig: two, environment: { KUBECONFIG: one }, context: 'one' }),
      { message: `the context "one" does not exist in ${two}` },
    );
  });

  it('are found below the home folder', async () => {
    await mkdir(join(folder, '.kube'), { recursive: true });
    await file('.kube/config', kubeconfig('home'));

    const access = await loadAccess({ environment: { HOME: folder } });

    assert.equal(access.context, 'home');
  });

  it('may use anchors and merge keys', async () => {
    const path = await file(
      'anchors',
      `
current-context: a
clusters: [{name: a, cluster: &c {server: https://a.example, tls-server-name: n}}, {name: b, cluster: {<<: *c}}]
users: []
contexts: [{name: a, context: {cluster: b, user: ""}}]
`,
    );

    const access = await loadAccess({ kubeconfig: path, environment: {} });

    assert.equal(access.cluster.tlsServerName, 'n');
  });
});

describe('a kubeconfig that is of no use', () => {
  it('is named where it is missing and was asked for', async () => {
    const path = join(folder, 'nowhere');

    await assert.rejects(loadAccess({ kubeconfig: path, environment: {} }), {
      name: 'ClusterError',
      reason: 'configuration',
      message: `cannot read ${path}: no such file or folder`,
    });
  });

  it('gives line and column of broken YAML, and nothing of its secrets', async () => {
    const path = await file('broken', 'users:\n- name: u\n  user: {token: s3cret\nclusters: []\n');

    await assert.rejects(loadAccess({ kubeconfig: path, environment: {} }), (error: Error) => {
      assert.match(error.message, /broken:\d+:\d+: broken YAML: /);
      assert.doesNotMatch(error.message, /s3cret|\n/);
      return true;
    });
  });

  it('is refused where it is something else', async () => {
    const path = await file('text', 'just a text');

    await assert.rejects(loadAccess({ kubeconfig: path, environment: {} }), {
      message: `${path}:1:1: this is not a kubeconfig file`,
    });
  });

  it('leads to one clear error where there is none at all', async () => {
    const home = join(folder, 'empty-home');

    await assert.rejects(loadAccess({ environment: { HOME: home } }), {
      message: `no cluster is configured in ${join(home, '.kube', 'config')}`,
      hint: 'Set KUBECONFIG, or name a file with --kubeconfig.',
    });
  });
});

describe('the service account of a pod', () => {
  const environment = { KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '443' };

  it('leads to the cluster that the pod runs in', async () => {
    const mounted = join(folder, 'serviceaccount');
    await mkdir(mounted, { recursive: true });
    for (const name of ['token', 'ca.crt', 'namespace'])
      await writeFile(join(mounted, name), `the ${name}\n`);

    const access = await inClusterAccess(environment, mounted);

    assert.equal(access?.cluster.server, 'https://[fd00::1]:443');
    assert.equal(access?.cluster.certificateAuthority, join(mounted, 'ca.crt'));
    assert.equal(access?.user.tokenFile, join(mounted, 'token'));
    assert.equal(access?.namespace, 'the namespace');
  });

  it('is not there outside of a pod', async () => {
    assert.equal(await inClusterAccess({}, folder), undefined);
    assert.equal(await inClusterAccess(environment, join(folder, 'nothing')), undefined);
  });
});
