import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Defaults } from '../../src/copy/defaults.ts';
import { parseRules, type Rule } from '../../src/copy/rules.ts';
import { formatName } from '../../src/oci/reference.ts';

const NONE: Defaults = { sourceRegistry: 'docker.io', sourceNamespace: 'library' };
const BOTH: Defaults = { ...NONE, registry: 'swr.example.com', namespace: 'team' };
const DIGEST = `sha256:${'a'.repeat(64)}`;
const OTHER = `sha256:${'b'.repeat(64)}`;

/** A rule in one line: `name [selection] -> name [tags]`. */
function inWords({ source, destination }: Rule): string {
  const { selection } = source;
  const which = {
    all: () => 'all',
    tags: () => (selection.kind === 'tags' ? selection.tags.join(',') : ''),
    pattern: () => (selection.kind === 'pattern' ? String(selection.pattern) : ''),
    digest: () =>
      selection.kind === 'digest' ? [selection.tag ?? '', selection.digest].join('@') : '',
  }[selection.kind]();
  const tags = destination.tags.length > 0 ? destination.tags.join(',') : 'same';
  return `${formatName(source.name)} [${which}] -> ${formatName(destination.name)} [${tags}]`;
}

function parse(rules: object, defaults: Defaults = BOTH) {
  return parseRules(JSON.stringify(rules), 'images.json', defaults);
}

/** The single rule of a map of one. */
function only(source: string, destination: unknown, defaults: Defaults = BOTH): string {
  const { rules, failures } = parse({ [source]: destination }, defaults);
  assert.deepEqual(
    failures.map(({ message }) => message),
    [],
  );
  return rules.map(inWords).join('\n');
}

/** The reason why the single rule of a map of one cannot be used. */
function refused(source: string, destination: unknown, defaults: Defaults = BOTH): string {
  const { rules, failures } = parse({ [source]: destination }, defaults);
  assert.deepEqual(rules.map(inWords), []);
  assert.equal(failures.length, 1);
  return failures[0]?.message ?? '';
}

describe('A rule is read', () => {
  const cases: readonly (readonly [string, string, string])[] = [
    // sources
    ['nginx', '', 'docker.io/library/nginx [all] -> swr.example.com/team/nginx [same]'],
    ['nginx:1.27', '', 'docker.io/library/nginx [1.27] -> swr.example.com/team/nginx [same]'],
    ['bitnami/redis:7', '', 'docker.io/bitnami/redis [7] -> swr.example.com/team/redis [same]'],
    ['docker.io/nginx:1', '', 'docker.io/library/nginx [1] -> swr.example.com/team/nginx [same]'],
    [
      'index.docker.io/nginx',
      '',
      'docker.io/library/nginx [all] -> swr.example.com/team/nginx [same]',
    ],
    ['registry-1.docker.io/a/b:1', '', 'docker.io/a/b [1] -> swr.example.com/team/b [same]'],
    [
      'quay.io/prometheus/node:v1',
      '',
      'quay.io/prometheus/node [v1] -> swr.example.com/team/node [same]',
    ],
    [
      'registry.k8s.io/pause:3.9',
      '',
      'registry.k8s.io/pause [3.9] -> swr.example.com/team/pause [same]',
    ],
    ['localhost:5000/app:1', '', 'localhost:5000/app [1] -> swr.example.com/team/app [same]'],
    ['[::1]:5000/a/app:1', '', '[::1]:5000/a/app [1] -> swr.example.com/team/app [same]'],
    // an empty destination drops the first segment only, and only where there is more than one
    ['gcr.io/a/b/c:1', '', 'gcr.io/a/b/c [1] -> swr.example.com/team/b/c [same]'],
    ['gcr.io/a', '', 'gcr.io/a [all] -> swr.example.com/team/a [same]'],
    ['nginx:1', '   ', 'docker.io/library/nginx [1] -> swr.example.com/team/nginx [same]'],
    // destinations
    ['nginx:1', 'web', 'docker.io/library/nginx [1] -> swr.example.com/team/web [same]'],
    ['nginx:1', 'web:2', 'docker.io/library/nginx [1] -> swr.example.com/team/web [2]'],
    ['nginx:1', 'other/web', 'docker.io/library/nginx [1] -> swr.example.com/other/web [same]'],
    ['nginx:1', 'reg.io/web', 'docker.io/library/nginx [1] -> reg.io/web [same]'],
    ['nginx:1', 'reg.io:5000/a/b/web:2', 'docker.io/library/nginx [1] -> reg.io:5000/a/b/web [2]'],
    ['nginx:1', 'localhost/web', 'docker.io/library/nginx [1] -> localhost/web [same]'],
    ['nginx:1', 'docker.io/me/web', 'docker.io/library/nginx [1] -> docker.io/me/web [same]'],
    ['nginx', 'reg.io/a/web', 'docker.io/library/nginx [all] -> reg.io/a/web [same]'],
    // lists of tags
    ['nginx:1,2', '', 'docker.io/library/nginx [1,2] -> swr.example.com/team/nginx [same]'],
    ['nginx:1, 2', 'web:a , b', 'docker.io/library/nginx [1,2] -> swr.example.com/team/web [a,b]'],
    // patterns
    [
      'nginx:/1\\..*/',
      'web',
      'docker.io/library/nginx [/^(?:1\\..*)$/] -> swr.example.com/team/web [same]',
    ],
    [
      'reg.io:5000/a/b:/v1|v2/',
      '',
      'reg.io:5000/a/b [/^(?:v1|v2)$/] -> swr.example.com/team/b [same]',
    ],
    [
      'nginx:/a/b/',
      '',
      'docker.io/library/nginx [/^(?:a\\/b)$/] -> swr.example.com/team/nginx [same]',
    ],
    [
      'nginx:/1\\-2\\_3/',
      '',
      'docker.io/library/nginx [/^(?:1\\-2\\_3)$/] -> swr.example.com/team/nginx [same]',
    ],
    // digests
    [
      `nginx@${DIGEST}`,
      '',
      `docker.io/library/nginx [@${DIGEST}] -> swr.example.com/team/nginx [same]`,
    ],
    [
      `nginx:1@${DIGEST}`,
      '',
      `docker.io/library/nginx [1@${DIGEST}] -> swr.example.com/team/nginx [same]`,
    ],
    [
      `nginx@${DIGEST}`,
      'web:1',
      `docker.io/library/nginx [@${DIGEST}] -> swr.example.com/team/web [1]`,
    ],
    [
      `nginx:1@${DIGEST}`,
      `web:2@${DIGEST}`,
      `docker.io/library/nginx [1@${DIGEST}] -> swr.example.com/team/web [2]`,
    ],
  ];
  for (const [source, destination, expected] of cases)
    test(`"${source}" to "${destination}"`, () => {
      assert.equal(only(source, destination), expected);
    });

  test('with other defaults for sources', () => {
    const defaults = { ...BOTH, sourceRegistry: 'quay.io', sourceNamespace: 'mine' };

    assert.equal(
      only('app:1', '', defaults),
      'quay.io/mine/app [1] -> swr.example.com/team/app [same]',
    );
    assert.equal(
      only('a/app:1', '', defaults),
      'quay.io/a/app [1] -> swr.example.com/team/app [same]',
    );
    assert.equal(
      only('docker.io/app:1', '', defaults),
      'docker.io/mine/app [1] -> swr.example.com/team/app [same]',
    );
    assert.equal(
      only('gcr.io/app:1', '', defaults),
      'gcr.io/app [1] -> swr.example.com/team/app [same]',
    );
  });

  test('with a default namespace of several segments', () => {
    const defaults = { ...BOTH, namespace: 'team/mirror' };

    assert.equal(
      only('nginx:1', '', defaults),
      'docker.io/library/nginx [1] -> swr.example.com/team/mirror/nginx [same]',
    );
  });

  test('without defaults for the destination, where it needs none', () => {
    assert.equal(
      only('nginx:1', 'reg.io/a/b', NONE),
      'docker.io/library/nginx [1] -> reg.io/a/b [same]',
    );
  });

  test('with a list of destinations as several rules', () => {
    const words = only('nginx:1', ['reg.io/a/b', 'web:2', '']);

    assert.deepEqual(words.split('\n'), [
      'docker.io/library/nginx [1] -> reg.io/a/b [same]',
      'docker.io/library/nginx [1] -> swr.example.com/team/web [2]',
      'docker.io/library/nginx [1] -> swr.example.com/team/nginx [same]',
    ]);
  });

  test('and null is an empty destination', () => {
    assert.equal(
      only('nginx:1', null),
      'docker.io/library/nginx [1] -> swr.example.com/team/nginx [same]',
    );
  });
});

describe('A rule is refused, and the reason says what is wrong', () => {
  const cases: readonly (readonly [string, unknown, RegExp, Defaults?])[] = [
    ['', 'web', /the source is empty/],
    ['  ', 'web', /the source is empty/],
    ['registry.example.com', 'web', /a registry only; a rule needs a repository/],
    ['registry.example.com:5000', 'web', /a registry only; a rule needs a repository/],
    ['registry.example.com/', 'web', /a registry or a namespace only; a rule needs a repository/],
    [
      'registry.example.com/team/',
      'web',
      /a registry or a namespace only; a rule needs a repository/,
    ],
    ['localhost', 'web', /a registry only/],
    [':1', 'web', /it names no repository/],
    ['Nginx:1', 'web', /"library\/Nginx" must be lower case/],
    ['NGINX', 'web', /must be lower case/],
    ['gcr.io/Team/app', 'web', /"Team\/app" must be lower case/],
    ['nginx:', 'web', /"" is not a tag/],
    ['nginx:a,,b', 'web', /"" is not a tag/],
    ['nginx:-x', 'web', /"-x" is not a tag/],
    [`nginx:${'v'.repeat(129)}`, 'web', /is not a tag/],
    ['nginx:/(/', 'web', /\/\(\/ is not a regular expression: .*[Uu]nterminated group/],
    ['nginx@sha256:abc', 'web', /"sha256:abc" is not a digest: expected sha256:/],
    [`nginx:1,2@${DIGEST}`, 'web', /a digest stands with one tag at most/],
    ['https://gcr.io/team/app:1', 'web', /leave out "https:\/\/"/],
    ['https://gcr.io/team/app/', 'web', /leave out "https:\/\/"/],
    ['nginx:1', 'http://reg.io/a/b', /leave out "http:\/\/"/],
    ['nginx:1', 'docker://reg.io/a/b', /leave out "docker:\/\/"/],
    ['nginx:1', 'reg.io', /a registry only; a rule needs a repository/],
    ['nginx:1', 'reg.io/', /a registry or a namespace only/],
    ['nginx:1', 'reg.io/a/', /a registry or a namespace only/],
    ['nginx:1', 'Web', /"team\/Web" must be lower case|must be lower case/],
    ['nginx', 'web:2', /the destination has a tag, but the source has none and means all its tags/],
    ['nginx:/1.*/', 'web:2', /the destination has a tag, but the source is a pattern of tags/],
    ['nginx:1,2', 'web:a', /it has 1 tag, but the source has 2/],
    ['nginx:1', 'web:a,b', /it has 2 tags, but the source has 1/],
    [`nginx@${DIGEST}`, `web@${OTHER}`, /only the digest that its source has/],
    ['nginx:1', `web@${DIGEST}`, /only the digest that its source has/],
    ['nginx:1', '', /no registry; write one, or give --registry \(or set DEFAULT_REGISTRY\)/, NONE],
    ['nginx:1', 'a/web', /no registry; write one, or give --registry/, NONE],
    [
      'nginx:1',
      'web',
      /no namespace; write one, or give --namespace \(or set DEFAULT_NAMESPACE\)/,
      { ...NONE, registry: 'reg.io' },
    ],
    [
      'nginx:1',
      '',
      /no namespace; write one, or give --namespace/,
      { ...NONE, registry: 'reg.io' },
    ],
    ['nginx:1', 5, /the destination must be a text, or a list of texts/],
    ['nginx:1', true, /the destination must be a text, or a list of texts/],
    ['nginx:1', {}, /the destination must be a text, or a list of texts/],
    ['nginx:1', [], /the destination must be a text, or a list of texts/],
    ['nginx:1', [['web']], /the destination must be a text, or a list of texts/],
  ];
  for (const [source, destination, reason, defaults] of cases)
    test(`"${source.slice(0, 40)}" to ${JSON.stringify(destination)}`, () => {
      assert.match(refused(source, destination, defaults), reason);
    });
});

describe('A file of rules', () => {
  test('keeps repeated keys apart, in the order of the text', () => {
    const text = '{"nginx:1": "a", "redis:7": "b", "nginx:1": "c"}';

    const { rules } = parseRules(text, 'images.json', BOTH);

    assert.deepEqual(
      rules.map(({ destination }) => destination.name.repository),
      ['team/a', 'team/b', 'team/c'],
    );
  });

  test('goes on after a rule that cannot be used, and says where that stands', () => {
    const text =
      '{\n  // the first\n  "nginx:1": "a",\n    "": "b",\n  "redis:7": ["c", 7, ""],\n}\n';

    const { rules, failures } = parseRules(text, 'images.json', BOTH);

    assert.equal(rules.length, 3);
    assert.deepEqual(
      failures.map(({ place }) => place),
      [
        { file: 'images.json', line: 4, column: 5, source: '', destination: 'b' },
        { file: 'images.json', line: 5, column: 3, source: 'redis:7', destination: '(a list)' },
      ],
    );
    assert.ok(
      failures.every(({ code, cause }) => code === 'INVALID_RULE' && cause instanceof Error),
    );
  });

  test('may be YAML, where a missing value is an empty destination', () => {
    const text = '# images\nnginx:1.27:\nredis:7: web:7\n"busybox:1":\n  - a\n  - b:2\napp:2: 5\n';

    const { rules, failures } = parseRules(text, 'images.yaml', BOTH);

    assert.deepEqual(rules.map(inWords), [
      'docker.io/library/nginx [1.27] -> swr.example.com/team/nginx [same]',
      'docker.io/library/redis [7] -> swr.example.com/team/web [7]',
      'docker.io/library/busybox [1] -> swr.example.com/team/a [same]',
      'docker.io/library/busybox [1] -> swr.example.com/team/b [2]',
    ]);
    assert.deepEqual(
      failures.map(({ place }) => [place.line, place.column, place.destination]),
      [[7, 1, '5']],
    );
  });

  test('knows no magic keys', () => {
    const text = '{"__proto__": "a", "constructor": "b", "toString:1": "c"}';

    const { rules, failures } = parseRules(text, 'images.json', BOTH);

    assert.deepEqual(rules.map(inWords), [
      'docker.io/library/constructor [all] -> swr.example.com/team/b [same]',
    ]);
    assert.equal(failures.length, 2);
  });

  test('that is no map is refused as a whole', () => {
    for (const text of ['[]', '"nginx"', '5', '- nginx', ''])
      assert.throws(() => parseRules(text, 'images.json', BOTH), { name: 'DocumentError' });
  });
});

test('A login that somebody wrote into a rule is not repeated', () => {
  const { failures } = parse({
    'https://me:hunter2@r.example/a:1': 'https://me:hunter2@s.example/a',
  });

  assert.equal(failures.length, 1);
  assert.ok(!JSON.stringify(failures).includes('hunter2'));
  assert.ok(!failures[0]?.message.includes('hunter2'));
  assert.equal(failures[0]?.place.source, 'https://r.example/a:1');
});
