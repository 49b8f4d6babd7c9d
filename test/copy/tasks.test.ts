import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseRules } from '../../src/copy/rules.ts';
import { expandRules, type TagsOf } from '../../src/copy/tasks.ts';
import { formatName, formatReference } from '../../src/oci/reference.ts';
import { atMost } from './run.ts';

const DEFAULTS = {
  ...{ sourceRegistry: 'docker.io', sourceNamespace: 'library' },
  ...{ registry: 'reg.io', namespace: 'team' },
};
const DIGEST = `sha256:${'a'.repeat(64)}`;
const OTHER = `sha256:${'b'.repeat(64)}`;

/** Expands the rules of a text; `tags` are what repositories hold. */
async function expand(text: string, tags: Readonly<Record<string, readonly string[]>> = {}) {
  const listed: string[] = [];
  const tagsOf: TagsOf = async (name) => {
    const known = tags[formatName(name)];
    listed.push(formatName(name));
    await new Promise((resolve) => setImmediate(resolve));
    if (!known) throw new Error('the registry is closed today');
    return known;
  };
  const { rules, failures: broken } = parseRules(text, 'images.yaml', DEFAULTS);
  assert.deepEqual(broken, []);
  const { tasks, failures } = await expandRules(rules, tagsOf, atMost(4));
  return {
    listed,
    tasks: tasks.map(
      ({ source, destination }) => `${formatReference(source)} -> ${formatReference(destination)}`,
    ),
    failures: failures.map(({ place, message }) => `${place.line}: ${message}`),
  };
}

test('A tag is one task, and nothing is listed for it', async () => {
  const { tasks, failures, listed } = await expand('nginx:1.27: web');

  assert.deepEqual(tasks, ['docker.io/library/nginx:1.27 -> reg.io/team/web:1.27']);
  assert.deepEqual(failures, []);
  assert.deepEqual(listed, []);
});

test('Tags are mapped from left to right', async () => {
  const { tasks } = await expand('nginx:1,2,3: web:a,b,c');

  assert.deepEqual(tasks, [
    'docker.io/library/nginx:1 -> reg.io/team/web:a',
    'docker.io/library/nginx:2 -> reg.io/team/web:b',
    'docker.io/library/nginx:3 -> reg.io/team/web:c',
  ]);
});

test('No tag means every tag, in order, each once', async () => {
  const { tasks } = await expand('nginx: web', {
    'docker.io/library/nginx': ['b', 'a', 'c', 'a', '-not-a-tag'],
  });

  assert.deepEqual(tasks, [
    'docker.io/library/nginx:a -> reg.io/team/web:a',
    'docker.io/library/nginx:b -> reg.io/team/web:b',
    'docker.io/library/nginx:c -> reg.io/team/web:c',
  ]);
});

test('A pattern must match the whole tag', async () => {
  const { tasks } = await expand('"nginx:/1|2/": web', {
    'docker.io/library/nginx': ['1', '12', '2', '21', 'v1'],
  });

  assert.deepEqual(tasks, [
    'docker.io/library/nginx:1 -> reg.io/team/web:1',
    'docker.io/library/nginx:2 -> reg.io/team/web:2',
  ]);
});

test('Tags are listed once for each repository, whatever number of rules asks', async () => {
  const { listed } = await expand('nginx: [a, b]\n"nginx:/1.*/": c\ndocker.io/library/nginx: d\n', {
    'docker.io/library/nginx': ['1', '2'],
  });

  assert.deepEqual(listed, ['docker.io/library/nginx']);
});

test('A rule that matches no tag is an error of that rule', async () => {
  const { tasks, failures } = await expand('"nginx:/9/": a\nempty/app: b\nnginx:1: c\n', {
    'docker.io/library/nginx': ['1', '2'],
    'docker.io/empty/app': [],
  });

  assert.deepEqual(tasks, ['docker.io/library/nginx:1 -> reg.io/team/c:1']);
  assert.deepEqual(failures, [
    '1: docker.io/library/nginx has no tag that matches, of 2',
    '2: docker.io/empty/app has no tags',
  ]);
});

test('A list that cannot be had is an error of its rules, and the others go on', async () => {
  const { tasks, failures } = await expand('closed/app: a\nnginx: b\n"closed/app:/1/": c\n', {
    'docker.io/library/nginx': ['1'],
  });

  assert.deepEqual(tasks, ['docker.io/library/nginx:1 -> reg.io/team/b:1']);
  assert.deepEqual(failures, [
    '1: its tags cannot be listed: the registry is closed today',
    '3: its tags cannot be listed: the registry is closed today',
  ]);
});

test('A digest is one task, with and without tags', async () => {
  const { tasks, listed } = await expand(
    [`nginx@${DIGEST}: a`, `nginx:1@${DIGEST}: b`, `redis@${DIGEST}: c:7`].join('\n'),
  );

  assert.deepEqual(tasks, [
    `docker.io/library/nginx@${DIGEST} -> reg.io/team/a@${DIGEST}`,
    `docker.io/library/nginx:1@${DIGEST} -> reg.io/team/b:1@${DIGEST}`,
    `docker.io/library/redis@${DIGEST} -> reg.io/team/c:7@${DIGEST}`,
  ]);
  assert.deepEqual(listed, []);
});

test('The same pair from overlapping rules is one task', async () => {
  const { tasks, failures } = await expand(
    'nginx:1: a\nnginx: a\n"nginx:/1/": reg.io/team/a\ndocker.io/nginx:1,2: a\n',
    { 'docker.io/library/nginx': ['1', '2'] },
  );

  assert.deepEqual(tasks, [
    'docker.io/library/nginx:1 -> reg.io/team/a:1',
    'docker.io/library/nginx:2 -> reg.io/team/a:2',
  ]);
  assert.deepEqual(failures, []);
});

test('Two sources for one destination are an error of the later rule', async () => {
  const { tasks, failures } = await expand('nginx:1: web\nhttpd:1,2: web\n');

  assert.deepEqual(tasks, [
    'docker.io/library/nginx:1 -> reg.io/team/web:1',
    'docker.io/library/httpd:2 -> reg.io/team/web:2',
  ]);
  assert.deepEqual(failures, [
    '2: reg.io/team/web:1 is already the destination of line 1 ("nginx:1")',
  ]);
});

test('The earlier rule keeps the destination, even where its tags have to be listed first', async () => {
  const { tasks, failures } = await expand('nginx: web\nhttpd:1: web\n', {
    'docker.io/library/nginx': ['1'],
  });

  assert.deepEqual(tasks, ['docker.io/library/nginx:1 -> reg.io/team/web:1']);
  assert.equal(failures.length, 1);
});

test('Two digests for one tag of a destination are two sources for it', async () => {
  const { tasks, failures } = await expand(
    [`nginx@${DIGEST}: web:1`, `httpd@${OTHER}: web:1`, 'redis:1: web:1'].join('\n'),
  );

  assert.deepEqual(tasks, [`docker.io/library/nginx@${DIGEST} -> reg.io/team/web:1@${DIGEST}`]);
  assert.deepEqual(failures, [
    `2: reg.io/team/web:1 is already the destination of line 1 ("nginx@${DIGEST}")`,
    `3: reg.io/team/web:1 is already the destination of line 1 ("nginx@${DIGEST}")`,
  ]);
});

test('One digest under two tags of its source is one image', async () => {
  const { tasks, failures } = await expand(
    [`nginx@${DIGEST}: web:1`, `nginx:2@${DIGEST}: web:1`].join('\n'),
  );

  assert.equal(tasks.length, 1);
  assert.deepEqual(failures, []);
});
