// biome-ignore-all lint/suspicious/noTemplateCurlyInString: so auth.json names a variable
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { entryFor, parseAuthFile } from '../../src/registry/auth-file.ts';
import {
  hasPlainLogins,
  hasSecrets,
  openAuthFile,
  sealAuthFile,
} from '../../src/registry/auth-seal.ts';
import { isSealed, seal, unseal } from '../../src/registry/seal.ts';

const KEY = randomBytes(32);
const FILE = 'auth.json';
const SEALED = /"enc:v1:[A-Za-z0-9_-]+"/g;

const sealedText = (text: string, file = FILE) => sealAuthFile(text, file, KEY).text;
const read = (text: string, file = FILE, sealKey: Uint8Array | undefined = KEY) =>
  parseAuthFile(text, file, { environment: {}, sealKey });
const credentialOf = (text: string, registry: string, file = FILE) =>
  entryFor(read(text, file), { registry, repository: 'any' })?.credential;

describe('sealing', () => {
  test('replaces user names and passwords, and they open again', () => {
    const text = '{"r.example": {"username": "alice", "password": "s3cr3t"}}';

    const sealed = sealedText(text);

    assert.match(
      sealed,
      /^\{"r\.example": \{"username": "enc:v1:[\w-]+", "password": "enc:v1:[\w-]+"\}\}$/,
    );
    assert.deepEqual(credentialOf(sealed, 'r.example'), {
      kind: 'password',
      username: 'alice',
      password: 's3cr3t',
    });
  });

  test('leaves everything else alone, to the byte', () => {
    const text = [
      '\uFEFF// who may push\r',
      '{\r',
      '\t"r.example" :{ "username":"a" , /* old: "password": "no" */ "password" :  "b", },',
      '  "r.example/team": { "password": "p\\u0041\\"s", "username": "u", "insecure": true,',
      '     "ca": "ca.pem" }, "ghcr.io": {}, "c.example": {"username": "$USER", "password": "${PASS}"}',
      '}\r\n\r\n',
    ].join('\n');

    const sealed = sealedText(text);

    assert.equal(sealed.match(SEALED)?.length, 4);
    assert.equal(
      sealed.replace(SEALED, '"?"'),
      text.replace(/"(a|b|p\\u0041\\"s|u)"(?=[ ,])/g, '"?"'),
    );
    assert.equal(
      read(sealed.replaceAll('$USER', 'x').replaceAll('${PASS}', 'y')).get('r.example/team')
        ?.credential?.kind,
      'password',
    );
  });

  test('finds nothing more to do the second time', () => {
    const sealed = sealedText('{"r": {"username": "alice", "password": "s3cr3t"}}');

    assert.deepEqual(sealAuthFile(sealed, FILE, KEY), { text: sealed, count: 0 });
    assert.equal(hasPlainLogins(sealed, FILE), false);
  });

  test('takes up a new password that stands where the ciphertext stood', () => {
    const sealed = sealedText('{"r.example": {"username": "alice", "password": "old"}}');
    const changed = sealed.replace(/(?<="password": )"[^"]*"/, '"new"');

    const again = sealedText(changed);

    assert.equal(again.split('"')[5], changed.split('"')[5]);
    assert.deepEqual(credentialOf(again, 'r.example'), {
      kind: 'password',
      username: 'alice',
      password: 'new',
    });
  });

  test('leaves references to the environment, empty values and anonymous entries', () => {
    for (const text of [
      '{"r": {"username": "$USER", "password": "${PASS}"}}',
      '{"r": {"username": "", "password": ""}}',
      '{"r": {}}',
      '{"r": null}',
      '{}',
      '{"r": {"insecure": true}}',
    ])
      assert.deepEqual(sealAuthFile(text, FILE, KEY), { text, count: 0 });
  });

  test('does not take every dollar for a reference', () => {
    for (const password of ['$', 'a$B', '$A$B', '${A', '$1', '${A}x', '$A-B', 'robot$ci', ' $A']) {
      const text = JSON.stringify({ 'r.example': { username: 'robot', password } });

      const sealed = sealedText(text);

      assert.equal(sealed.match(SEALED)?.length, 2, password);
      assert.deepEqual(credentialOf(sealed, 'r.example'), {
        kind: 'password',
        username: 'robot',
        password,
      });
    }
  });

  test('keeps a number as it was written', () => {
    const sealed = sealedText('{"r.example": {"username": 12, "password": 1.50}}');

    assert.deepEqual(credentialOf(sealed, 'r.example'), {
      kind: 'password',
      username: '12',
      password: '1.50',
    });
  });

  test('seals each of the fields that stand twice', () => {
    const sealed = sealedText('{"r.example":{"username":"a","password":"b","password":"c"}}');

    assert.equal(sealed.match(SEALED)?.length, 3);
    assert.deepEqual(credentialOf(sealed, 'r.example'), {
      kind: 'password',
      username: 'a',
      password: 'c',
    });
  });
});

describe('sealing YAML', () => {
  const cases: Readonly<Record<string, readonly [string, string, string]>> = {
    'plain values': ['r.example:\n  username: alice\n  password: s3cr3t\n', 'alice', 's3cr3t'],
    comments: [
      '# top\nr.example: # here\n  username: alice # me\n  password: s3cr3t   # never\n# end\n',
      'alice',
      's3cr3t',
    ],
    'Windows line ends': ['r.example:\r\n  username: alice\r\n  password: x\r\n', 'alice', 'x'],
    'a byte order mark': ['\uFEFFr.example:\n  username: alice\n  password: x\n', 'alice', 'x'],
    'numbers with zeros in front': [
      'r.example:\n  username: 007\n  password: 0123\n',
      '007',
      '0123',
    ],
    'single quotes': ["r.example: {username: 'it''s', password: 'a: b'}\n", "it's", 'a: b'],
    'double quotes': ['r.example: {username: "a\\tb", password: "\\u0041"}', 'a\tb', 'A'],
    'a block': [
      'r.example:\n  username: alice\n  password: |-\n    s3c\n    r3t\n',
      'alice',
      's3c\nr3t',
    ],
    'a folded block before another key': [
      'r.example:\n  password: >-\n    s3cr3t\n\n  username: alice\n',
      'alice',
      's3cr3t',
    ],
    'a value on the next line': [
      'r.example:\n  username:\n    alice\n  password: x\n',
      'alice',
      'x',
    ],
    'a value of two lines': ['r.example:\n  username: a\n    b\n  password: x\n', 'a b', 'x'],
    'a tag': ['r.example:\n  username: !!str 12\n  password: !!str x\n', '12', 'x'],
    'a quoted key': ['"r.example":\n  "username": alice\n  \'password\': x\n', 'alice', 'x'],
    'no line end': ['r.example:\n  username: alice\n  password: x', 'alice', 'x'],
  };

  for (const [what, [text, username, password]] of Object.entries(cases))
    test(`works with ${what}`, () => {
      const plain = credentialOf(text, 'r.example', 'auth.yaml');

      const sealed = sealedText(text, 'auth.yaml');

      assert.equal(sealed.match(SEALED)?.length, 2, sealed);
      assert.deepEqual(plain, { kind: 'password', username, password });
      assert.deepEqual(credentialOf(sealed, 'r.example', 'auth.yaml'), plain);
      const lineEnd = /\s*$/.exec(text)?.[0];
      assert.equal(/\s*$/.exec(sealed)?.[0], lineEnd);
      for (const comment of text.match(/#.*/g) ?? []) assert.ok(sealed.includes(comment));
    });
});

/** An auth.json in any formatting: the text, cut where the secrets stand, and the secrets. */
const oddFile = fc
  .record({
    entries: fc.uniqueArray(
      fc.record({
        key: fc.constantFrom(
          'a.example',
          'b.example/team',
          'docker.io',
          'c.example:5000',
          'ü.example',
        ),
        username: fc.string({ minLength: 1, unit: 'binary' }),
        password: fc.string({ minLength: 1, unit: 'binary' }),
        insecure: fc.boolean(),
      }),
      { selector: ({ key }) => key },
    ),
    gap: fc.constantFrom('', ' ', '\n', '\r\n', '\t', ' /* "password": "x" */ ', ' // {\n'),
    mark: fc.constantFrom('', '\uFEFF'),
    comma: fc.boolean(),
  })
  .map(({ entries, gap, mark, comma }) => {
    const parts: string[] = [`${mark}${gap}{`];
    const secrets: string[] = [];
    const add = (text: string) => {
      parts[parts.length - 1] += text;
    };
    for (const [index, { key, username, password, insecure }] of entries.entries()) {
      add(
        `${index > 0 ? ',' : ''}${gap}${JSON.stringify(key)}${gap}:{${gap}"username"${gap}:${gap}`,
      );
      parts.push(`${gap},${gap}"insecure":${insecure}${gap},"password":${gap}`);
      parts.push(`${gap}}`);
      secrets.push(username, password);
    }
    add(`${comma && entries.length > 0 ? ',' : ''}${gap}}${gap}`);
    return { parts, secrets, entries };
  });

test('sealing changes nothing but the secrets, whatever the file looks like', () => {
  fc.assert(
    fc.property(oddFile, ({ parts, secrets, entries }) => {
      const text = parts.map((part, index) => part + literal(secrets[index])).join('');
      const plain = secrets.filter((secret) => !isReference(secret));

      const sealed = sealedText(text);

      const seen = sealed.match(SEALED) ?? [];
      assert.equal(seen.length, plain.length);
      const masked = parts
        .map((part, index) => {
          const secret = secrets[index];
          return part + (secret === undefined || isReference(secret) ? literal(secret) : '"?"');
        })
        .join('');
      assert.equal(sealed.replace(SEALED, '"?"'), masked);
      if (plain.length < secrets.length) return;
      const opened = read(sealed);
      for (const { key, username, password } of entries)
        assert.deepEqual(opened.get(key)?.credential, { kind: 'password', username, password });
    }),
    { numRuns: 300 },
  );
});

function literal(secret: string | undefined): string {
  return secret === undefined ? '' : JSON.stringify(secret);
}

function isReference(secret: string): boolean {
  return /^\$([A-Za-z_]\w*|\{[A-Za-z_]\w*\})$/.test(secret) || isSealed(secret);
}

describe('opening', () => {
  test('gives back what was sealed, and leaves everything else alone, to the byte', () => {
    const text = [
      '\uFEFF// who may push\r',
      '{ "r.example" :{ "username":"alice" , /* no */ "password" :  "p\\"s", "insecure": true, },\r',
      '\t"ghcr.io": {}, "c.example": {"username": "$USER", "password": "${PASS}"}, }\r\n\r\n',
    ].join('\n');

    const opened = openAuthFile(sealedText(text), FILE, KEY);

    assert.deepEqual(opened, { text, count: 2 });
  });

  test('finds nothing in a file that holds nothing sealed', () => {
    for (const text of ['{}', '{"r": {"username": "a", "password": "$B"}}', '{"r": null}'])
      assert.deepEqual(openAuthFile(text, FILE, KEY), { text, count: 0 });
  });

  test('opens a value in any field', () => {
    const token = seal('t0ken', { registry: 'r', field: 'identityToken' }, KEY);

    const { text } = openAuthFile(`{"r": {"identityToken": "${token}"}}`, FILE, KEY);

    assert.equal(text, '{"r": {"identityToken": "t0ken"}}');
  });

  test('names the first value that does not open, and the value itself never', () => {
    const good = seal('a', { registry: 'r.example', field: 'username' }, KEY);
    const other = seal('b', { registry: 'r.example', field: 'password' }, randomBytes(32));
    const text = `{\n  "r.example": {"username": "${good}",\n    "password": "${other}"}\n}`;

    for (const [key, place] of [
      [KEY, '3:17: "password"'],
      [undefined, '2:29: "username"'],
    ] as const)
      assert.throws(() => openAuthFile(text, FILE, key), {
        name: 'DocumentError',
        message: `auth.json:${place} of "r.example" is encrypted and cannot be opened here; put the plain value in its place`,
      });
  });
});

test('opening what was sealed gives the same file, but for how its secrets are quoted', () => {
  fc.assert(
    fc.property(oddFile, ({ parts, secrets }) => {
      const text = parts.map((part, index) => part + literal(secrets[index])).join('');

      const { text: opened, count } = openAuthFile(sealedText(text), FILE, KEY);

      assert.equal(count, secrets.filter((secret) => !isReference(secret)).length);
      assertHolds(opened, parts, secrets);
    }),
    { numRuns: 300 },
  );
});

/** One value of YAML, written in one of its ways, and what it means. */
const yamlValue = fc.oneof(
  fc.string({ minLength: 1, unit: 'binary' }).map((value) => [ascii(value), value] as const),
  fc.stringMatching(/^[a-z][a-z0-9-]{3,8}[a-z]$/).map((value) => [value, value] as const),
  fc
    .stringMatching(/^[a-z]['": #,{}$-]{0,5}[a-z]$/)
    .map((value) => [`'${value.replaceAll("'", "''")}'`, value] as const),
  fc
    .array(fc.stringMatching(/^[a-z][a-z: #'"]{0,5}[a-z]$/), { minLength: 1, maxLength: 3 })
    .map(
      (lines) =>
        [`|-\n${lines.map((line) => `    ${line}`).join('\n')}`, lines.join('\n')] as const,
    ),
  fc.constantFrom(['0123', '0123'] as const, ['1.50', '1.50'] as const, ['yes', 'yes'] as const),
);

/** An auth.yaml: the text, cut where the secrets stand, and the secrets as they are written and as they are meant. */
const oddYaml = fc
  .record({
    entries: fc.uniqueArray(
      fc.record({
        key: fc.constantFrom('a.example', '"b.example/team"', "'c.example:5000'"),
        username: yamlValue,
        password: yamlValue,
        comment: fc.constantFrom('', '# password: x', '   # {'),
      }),
      { selector: ({ key }) => key, minLength: 1 },
    ),
    lineEnd: fc.constantFrom('', '\n', '\n\n# the end\n'),
  })
  .map(({ entries, lineEnd }) => {
    const parts: string[] = ['# logins\n'];
    const values: (readonly [string, string])[] = [];
    for (const { key, username, password, comment } of entries) {
      parts[parts.length - 1] += `${key}:\n  ${comment}\n  username:  `;
      parts.push('\n  insecure: false\n\n  password: ', lineEnd || '\n');
      values.push(username, password);
    }
    return { parts, values };
  });

test('the same for YAML, whose values may be written in many ways', () => {
  fc.assert(
    fc.property(oddYaml, ({ parts, values }) => {
      const text = parts.map((part, index) => part + (values[index]?.[0] ?? '')).join('');
      const secrets = values.map(([, secret]) => secret);
      fc.pre(!secrets.some(isReference));

      const { text: opened, count } = openAuthFile(sealedText(text, 'a.yaml'), 'a.yaml', KEY);

      assert.equal(count, secrets.length);
      assertHolds(opened, parts, secrets);
      assert.deepEqual([...read(opened, 'a.yaml')], [...read(text, 'a.yaml')]);
    }),
    { numRuns: 300 },
  );
});

const QUOTED = /"(?:[^"\\]|\\.)*"/y;

/** Fails unless a text is the parts, with the secrets in double quotes between them. */
function assertHolds(text: string, parts: readonly string[], secrets: readonly string[]): void {
  let at = 0;
  for (const [index, part] of parts.entries()) {
    assert.equal(text.slice(at, at + part.length), part);
    QUOTED.lastIndex = at + part.length;
    const quoted = index < secrets.length ? (QUOTED.exec(text)?.[0] ?? '') : '';
    if (index < secrets.length) assert.equal(JSON.parse(quoted), secrets[index]);
    at += part.length + quoted.length;
  }
  assert.equal(at, text.length);
}

/** In double quotes, with every other character than those of ASCII escaped. */
function ascii(value: string): string {
  return JSON.stringify(value).replace(
    /[^ -~]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

test('What others should not read is known: plain or sealed logins, no references, no settings', () => {
  const sealed = sealedText('{"r": {"username": "a", "password": "b"}}');
  const secret = [
    sealed,
    '{"r": {"username": "a", "password": "b"}}',
    '{"r": {"identityToken": "t"}}',
    '{"r": {"accessKey": "$KEY", "secretKey": "s"}}',
  ];
  const open = [
    '{}',
    '{"r": {"insecure": true, "ca": "ca.pem", "cert": "c.pem", "key": "k.pem"}}',
    '{"r": {"username": "$A", "password": "${B}"}}',
    '{"r": {"username": "", "password": null}}',
    '{"r": null}',
  ];

  for (const text of secret) assert.equal(hasSecrets(text, FILE), true, text);
  for (const text of open) assert.equal(hasSecrets(text, FILE), false, text);
});

describe('a sealed value', () => {
  const place = { registry: 'r.example', field: 'password' };

  test('is another one each time', () => {
    assert.notEqual(seal('x', place, KEY), seal('x', place, KEY));
  });

  test('opens for any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (secret) => {
        assert.equal(unseal(seal(secret, place, KEY), place, KEY), secret);
      }),
    );
  });

  test('does not open elsewhere, nor with another key', () => {
    const sealed = seal('x', place, KEY);

    assert.equal(unseal(sealed, { ...place, registry: 'other.example' }, KEY), undefined);
    assert.equal(unseal(sealed, { ...place, field: 'username' }, KEY), undefined);
    assert.equal(unseal(sealed, place, randomBytes(32)), undefined);
  });

  test('does not open once a character of it was changed', () => {
    const sealed = seal('s3cr3t', place, KEY);
    for (let at = 'enc:v1:'.length; at < sealed.length - 1; at += 1) {
      const other = sealed[at] === 'A' ? 'B' : 'A';

      const opened = unseal(sealed.slice(0, at) + other + sealed.slice(at + 1), place, KEY);

      assert.equal(opened, undefined, `character ${at}`);
    }
  });

  test('never throws for what is none', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        assert.equal(unseal(`enc:v1:${text}`, place, KEY), undefined);
      }),
    );
  });

  test('that was carried to another entry names its entry and says just that', () => {
    const sealed = sealedText('{"r.example":{"username":"a","password":"b"}}');
    const moved = sealed.replace('r.example', 'other.example');

    assert.throws(() => read(moved), {
      message:
        /^auth\.json:1:\d+: "username" of "other\.example" is encrypted and cannot be opened/,
    });
  });

  test('does not open without a key', () => {
    const sealed = sealedText('{"r.example":{"username":"a","password":"b"}}');

    assert.throws(() => parseAuthFile(sealed, FILE, { environment: {}, sealKey: undefined }), {
      message: /"username" of "r\.example" is encrypted/,
    });
  });
});
