import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { ClusterError } from '../../src/cluster/errors.ts';
import {
  accessOf,
  isEmptyKubeconfig,
  type Kubeconfig,
  kubeconfigOf,
  mergeKubeconfigs,
} from '../../src/cluster/kubeconfig.ts';

const FILE = '/home/ada/.kube/config';

function parsed(content: object, file = FILE): Kubeconfig {
  return kubeconfigOf(content, file, '/home/ada/.kube');
}

/** Two clusters, two users and a context for each pair. */
const TWO = {
  'current-context': 'a',
  clusters: [
    { name: 'a', cluster: { server: 'https://a.example' } },
    { name: 'b', cluster: { server: 'https://b.example' } },
  ],
  users: [
    { name: 'ada', user: { token: 'of-ada' } },
    { name: 'bob', user: { token: 'of-bob', as: 'carol' } },
  ],
  contexts: [
    { name: 'a', context: { cluster: 'a', user: 'ada', namespace: 'shop' } },
    { name: 'b', context: { cluster: 'b', user: 'bob' } },
  ],
};

describe('the merge of kubeconfig files', () => {
  const name = fc.constantFrom('one', 'two', 'three', 'four');
  const file = fc.record({
    current: fc.option(name, { nil: undefined }),
    clusters: fc.dictionary(name, fc.webUrl({ validSchemes: ['https'] })),
    users: fc.dictionary(name, fc.string({ minLength: 1 })),
    contexts: fc.dictionary(name, fc.tuple(name, name)),
  });
  const kubeconfig = file.map(({ current, clusters, users, contexts }) =>
    parsed({
      'current-context': current,
      clusters: Object.entries(clusters).map(([name, server]) => ({ name, cluster: { server } })),
      users: Object.entries(users).map(([name, token]) => ({ name, user: { token } })),
      contexts: Object.entries(contexts).map(([name, [cluster, user]]) => ({
        name,
        context: { cluster, user },
      })),
    }),
  );

  it('takes every name from the first file that defines it', () => {
    fc.assert(
      fc.property(fc.array(kubeconfig, { maxLength: 5 }), (files) => {
        const merged = mergeKubeconfigs(files);

        for (const table of ['clusters', 'users', 'contexts'] as const) {
          const names = new Set(files.flatMap((file) => [...file[table].keys()]));
          assert.deepEqual(new Set(merged[table].keys()), names);
          for (const name of names)
            assert.equal(
              merged[table].get(name),
              files.find((file) => file[table].has(name))?.[table].get(name),
            );
        }
      }),
    );
  });

  it('takes the current context from the first file that names one', () => {
    fc.assert(
      fc.property(fc.array(kubeconfig, { maxLength: 5 }), (files) => {
        const merged = mergeKubeconfigs(files);

        const first = files.map((file) => file.currentContext).find((name) => name !== undefined);
        assert.equal(merged.currentContext, first);
      }),
    );
  });

  it('does not depend on how the files are grouped', () => {
    fc.assert(
      fc.property(kubeconfig, kubeconfig, kubeconfig, (first, second, third) => {
        const left = mergeKubeconfigs([mergeKubeconfigs([first, second]), third]);
        const right = mergeKubeconfigs([first, mergeKubeconfigs([second, third])]);

        assert.deepEqual(left, right);
      }),
    );
  });

  it('is empty where all files are', () => {
    assert.equal(isEmptyKubeconfig(mergeKubeconfigs([])), true);
    assert.equal(isEmptyKubeconfig(mergeKubeconfigs([parsed({}), parsed(TWO)])), false);
  });
});

describe('a kubeconfig file', () => {
  it('has its relative paths resolved against its own folder', () => {
    const { clusters, users } = parsed({
      clusters: [{ name: 'a', cluster: { server: 's', 'certificate-authority': 'pki/ca.crt' } }],
      users: [
        {
          name: 'u',
          user: {
            'client-certificate': '../u.crt',
            'client-key': '/keys/u.key',
            tokenFile: 'token',
            exec: { command: './login', args: ['x'], apiVersion: 'v' },
          },
        },
      ],
    });

    assert.equal(clusters.get('a')?.certificateAuthority, '/home/ada/.kube/pki/ca.crt');
    const user = users.get('u');
    assert.equal(user?.clientCertificate, '/home/ada/u.crt');
    assert.equal(user?.clientKey, '/keys/u.key');
    assert.equal(user?.tokenFile, '/home/ada/.kube/token');
    assert.equal(user?.exec?.command, '/home/ada/.kube/login');
  });

  it('leaves a login program without folder to the PATH', () => {
    const { users } = parsed({ users: [{ name: 'u', user: { exec: { command: 'aws' } } }] });

    assert.equal(users.get('u')?.exec?.command, 'aws');
  });

  it('must not define a name twice, as for kubectl', () => {
    const twice = { name: 'u', user: {} };

    assert.throws(() => parsed({ users: [twice, twice] }), {
      name: 'ClusterError',
      message: `${FILE}: the user "u" is defined twice`,
    });
  });

  it('says so where YAML made a number of a password, without repeating it', () => {
    assert.throws(
      () => parsed({ users: [{ name: 'u', user: { username: 'u', password: 123456 } }] }),
      (error) =>
        error instanceof ClusterError &&
        error.message === '"password" in the kubeconfig is not a text' &&
        error.hint === 'Put its value in quotes.',
    );
  });

  it('keeps everything that impersonation needs', () => {
    const { users } = parsed({
      users: [
        {
          name: 'u',
          user: {
            as: 'carol',
            'as-uid': '7',
            'as-groups': ['dev', 'ops'],
            'as-user-extra': { reason: ['because'] },
          },
        },
      ],
    });

    const { as, asUid, asGroups, asUserExtra } = users.get('u') ?? {};
    assert.deepEqual(
      { as, asUid, asGroups, asUserExtra },
      { as: 'carol', asUid: '7', asGroups: ['dev', 'ops'], asUserExtra: { reason: ['because'] } },
    );
  });
});

describe('the choice of a cluster', () => {
  it('follows the current context', () => {
    const access = accessOf(parsed(TWO), {});

    assert.equal(access.context, 'a');
    assert.equal(access.cluster.server, 'https://a.example');
    assert.equal(access.user.token, 'of-ada');
    assert.equal(access.namespace, 'shop');
  });

  it('follows --context, and falls back to the namespace default', () => {
    const access = accessOf(parsed(TWO), { context: 'b' });

    assert.equal(access.cluster.server, 'https://b.example');
    assert.equal(access.namespace, 'default');
  });

  it('lets --cluster and --user replace what the context names', () => {
    const access = accessOf(parsed(TWO), { cluster: 'b', user: 'bob' });

    assert.equal(access.context, 'a');
    assert.equal(access.cluster.server, 'https://b.example');
    assert.equal(access.userName, 'bob');
    assert.equal(access.namespace, 'shop');
  });

  it('needs no context where a cluster is named', () => {
    const access = accessOf(parsed({ ...TWO, 'current-context': '' }), { cluster: 'a' });

    assert.equal(access.context, '');
    assert.deepEqual(access.user, {});
  });

  it('lets --as and --as-group replace what the user has', () => {
    const access = accessOf(parsed(TWO), { context: 'b', as: 'dora', asGroups: ['dev'] });

    assert.equal(access.user.as, 'dora');
    assert.deepEqual(access.user.asGroups, ['dev']);
    assert.equal(access.user.token, 'of-bob');
  });

  it('keeps the impersonation of the user where no flag is given', () => {
    assert.equal(accessOf(parsed(TWO), { context: 'b', asGroups: [] }).user.as, 'carol');
  });

  const faults: readonly [string, object, object, string, string][] = [
    [
      'a context that does not exist',
      TWO,
      { context: 'c' },
      `the context "c" does not exist in ${FILE}`,
      'These exist: a, b.',
    ],
    [
      'a user that does not exist',
      TWO,
      { user: 'eve' },
      `the user "eve" does not exist in ${FILE}`,
      'These exist: ada, bob.',
    ],
    [
      'a cluster that the context names and nobody defines',
      { ...TWO, clusters: [] },
      {},
      `the cluster "a" does not exist in ${FILE}`,
      '',
    ],
    [
      'no current context',
      { ...TWO, 'current-context': '' },
      {},
      `no current context is set in ${FILE}`,
      'Name one with --context: a, b.',
    ],
    [
      'a context without cluster',
      { ...TWO, contexts: [{ name: 'a', context: {} }] },
      {},
      'the context "a" names no cluster',
      'Name one with --context: a.',
    ],
    [
      'a cluster without server',
      { ...TWO, clusters: [{ name: 'a', cluster: {} }] },
      {},
      `the cluster "a" has no usable server address in ${FILE}`,
      'Give it a "server" that starts with https://.',
    ],
  ];
  for (const [fault, content, overrides, message, hint] of faults)
    it(`says what is wrong with ${fault}`, () => {
      assert.throws(
        () => accessOf(parsed(content), overrides),
        (error) => {
          assert.ok(error instanceof ClusterError);
          assert.equal(error.reason, 'configuration');
          assert.equal(error.message, message);
          assert.equal(error.hint ?? '', hint);
          return true;
        },
      );
    });
});
