import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseDocument, parseMap } from '../../src/text/document.ts';
import type { Node } from '../../src/text/node.ts';

/** What a node says, without places. Maps are lists of pairs, since keys may be repeated. */
function plain(node: Node | undefined): unknown {
  if (!node) return undefined;
  if (node.kind === 'list') return node.items.map(plain);
  if (node.kind === 'map')
    return { pairs: node.entries.map(({ key, value }) => [key, plain(value)]) };
  return node.value;
}

/** The texts that the places of a map point at: each key, and each value. */
function pointedAt(text: string, file: string): readonly string[] {
  const root = parseMap(text, file, 'a map');
  return root.entries.flatMap(({ keyStart, value }) => [
    text.slice(keyStart, keyStart + 3),
    text.slice(value.start, value.end),
  ]);
}

describe('JSON', () => {
  test('is read with comments and trailing commas, repeated keys included', () => {
    const text =
      '// top\n{\n  "a": "1", /* here */ "a": ["2", null,],\n  "b": {"c": 1.5},\n}\n// end';

    assert.deepEqual(plain(parseDocument(text, 'x.json')), {
      pairs: [
        ['a', '1'],
        ['a', ['2', null]],
        ['b', { pairs: [['c', 1.5]] }],
      ],
    });
  });

  test('remembers where keys and values stand, also behind a byte order mark', () => {
    const text = '\uFEFF{ "k1": "v\\u00e41",\r\n  "k2" : [1, 2] }';

    assert.deepEqual(pointedAt(text, 'x.json'), ['"k1', '"v\\u00e41"', '"k2', '[1, 2]']);
  });

  test('keeps numbers as they are written', () => {
    const root = parseMap('{"n": 1.50, "big": 12345678901234567890}', 'x.json', 'a map');

    assert.deepEqual(
      root.entries.map(({ value }) => value.kind === 'scalar' && value.text),
      ['1.50', '12345678901234567890'],
    );
  });

  test('knows no magic keys', () => {
    const root = parseMap('{"__proto__": {"a": "b"}, "constructor": "c"}', 'x.json', 'a map');

    assert.deepEqual(plain(root), {
      pairs: [
        ['__proto__', { pairs: [['a', 'b']] }],
        ['constructor', 'c'],
      ],
    });
  });

  const faults: readonly (readonly [string, string])[] = [
    ['{"a": nope}', '1:7: broken JSON: this word is not JSON'],
    ['{\n  "a": "b"\n  "c": "d"\n}', '3:3: broken JSON: a comma is expected'],
    ['{\r\n  "a" "b"\r\n}', '2:7: broken JSON: a colon is expected'],
    ['{"a": "b"', '1:10: broken JSON: a closing brace is expected'],
    ['{"a": ["b"', '1:11: broken JSON: a closing bracket is expected'],
    ['{"a": "b', '1:7: broken JSON: this text in quotes does not end'],
    ['{"a": /* b', '1:7: broken JSON: this comment does not end'],
    ['{"a": "\\x"}', '1:7: broken JSON: a backslash cannot stand before this character'],
    ['{"a": "b",,}', '1:11: broken JSON: a key in double quotes is expected'],
    ['{,}', '1:2: broken JSON: a value is expected'],
    ["{'a': 'b'}", '1:2: broken JSON: this word is not JSON'],
    ['{"a": "b"} {}', '1:12: broken JSON: nothing more is expected'],
    ['\uFEFF{"a": nope}', '1:7: broken JSON: this word is not JSON'],
    ['\uFEFF{\n"a": nope}', '2:6: broken JSON: this word is not JSON'],
    ['// ä😀\n{"😀": nope}', '2:8: broken JSON: this word is not JSON'],
  ];
  for (const [text, message] of faults)
    test(`${JSON.stringify(text)} is refused at ${message.split(': ')[0]}`, () => {
      assert.throws(() => parseDocument(text, 'x.json'), {
        name: 'DocumentError',
        message: `x.json:${message}`,
      });
    });

  test('that is nested too deeply is refused like any other fault', () => {
    for (const text of ['['.repeat(200_000), '{"a":'.repeat(200_000)])
      assert.throws(() => parseDocument(text, 'x.json'), {
        name: 'DocumentError',
        message: 'x.json: the values are nested too deeply',
      });
  });

  test('may stand behind very many comments', () => {
    const root = parseDocument(`${'// a comment\n'.repeat(100_000)}{"a": "b"}`, 'x.json');

    assert.deepEqual(plain(root), { pairs: [['a', 'b']] });
  });
});

describe('YAML', () => {
  test('is read in all its forms', () => {
    const text = [
      '# images',
      '"a:1": b   # quoted',
      "'it''s': c",
      'd: [e, "f"]',
      'g: {h: i, j: }',
      'k: >-',
      '  folded',
      '  text',
      'l: |',
      '  kept',
      'm:',
      '  - n',
      '  - ~',
      'o:',
      'p: &anchor q',
    ].join('\n');

    assert.deepEqual(plain(parseDocument(text, 'x.yaml')), {
      pairs: [
        ['a:1', 'b'],
        ["it's", 'c'],
        ['d', ['e', 'f']],
        [
          'g',
          {
            pairs: [
              ['h', 'i'],
              ['j', null],
            ],
          },
        ],
        ['k', 'folded text'],
        ['l', 'kept\n'],
        ['m', ['n', null]],
        ['o', null],
        ['p', 'q'],
      ],
    });
  });

  test('keeps keys and values as they are written', () => {
    const root = parseMap('0123: 0456\n1e3: 0x1F\nyes: 1_000\n', 'x.yaml', 'a map');

    assert.deepEqual(
      root.entries.map(({ key, value }) => [key, value.kind === 'scalar' && value.text]),
      [
        ['0123', '0456'],
        ['1e3', '0x1F'],
        ['yes', '1_000'],
      ],
    );
  });

  test('keeps repeated keys apart', () => {
    assert.deepEqual(plain(parseDocument('a: 1\na: 2\n', 'x.yaml')), {
      pairs: [
        ['a', 1],
        ['a', 2],
      ],
    });
  });

  test('remembers where keys and values stand, also behind a byte order mark', () => {
    assert.deepEqual(pointedAt('\uFEFFkey: val\r\n"q k":  \'v\'\r\n', 'x.yaml'), [
      ...['key', 'val'],
      ...['"q ', "'v'"],
    ]);
  });

  test('may begin and end with marks, and with a document that is empty', () => {
    for (const text of [
      '---\na: b\n',
      '---\na: b\n...\n',
      'a: b\n---\n',
      '# x\n---\na: b\n---\n# y\n',
    ])
      assert.deepEqual(plain(parseDocument(text, 'x.yaml')), { pairs: [['a', 'b']] });
  });

  test('stands in any file, unless it begins with a brace', () => {
    assert.deepEqual(plain(parseDocument('a: b', 'images.json')), { pairs: [['a', 'b']] });
    assert.deepEqual(plain(parseDocument('{a: b}', 'images.yml')), { pairs: [['a', 'b']] });
  });

  const faults: readonly (readonly [string, string])[] = [
    ['a: b\n\tc: d\n', '2:1: broken YAML: Tabs are not allowed as indentation'],
    ['a: b: c\n', '1:4: broken YAML: Nested mappings are not allowed in compact mappings'],
    ['a: b\n---\nc: d\n', '2:1: a second YAML document is not expected'],
    ['a: &x b\r\nc: *x\r\n', '2:4: aliases are not understood here'],
    ['x: &y {a: b}\n<<: *y\n', '2:5: aliases are not understood here'],
    ['a: b\n? [c]\n: d\n', '2:3: a key must be a plain text'],
    ['\uFEFF@x: y', '1:1: broken YAML: Plain value cannot start with reserved character @'],
  ];
  for (const [text, message] of faults)
    test(`${JSON.stringify(text)} is refused at ${message.split(': ')[0]}`, () => {
      assert.throws(() => parseDocument(text, 'x.yaml'), {
        name: 'DocumentError',
        message: `x.yaml:${message}`,
      });
    });

  test('never shows what stands around a fault, which may be a password', () => {
    const text = 'user: {password: "hunter2", other: [}\n';

    assert.throws(
      () => parseDocument(text, 'x.yaml'),
      (error: Error) => !error.message.includes('hunter2') && !error.message.includes('\n'),
    );
  });
});

describe('A document', () => {
  test('without any value is nothing', () => {
    for (const text of ['', ' \r\n\t', '\uFEFF', '// only a comment', '/* a */ // b\n', '# a\n'])
      assert.equal(parseDocument(text, 'x.yaml'), undefined, JSON.stringify(text));
  });

  test('that should be a map and is none says what was expected, and where', () => {
    const parse = (text: string) => () => parseMap(text, 'x.json', 'a map of logins');

    assert.throws(parse('\n ["a"]'), { message: 'x.json:2:2: expected a map of logins' });
    assert.throws(parse('"a"'), { message: 'x.json:1:1: expected a map of logins' });
    assert.throws(parse('\n'), { message: 'x.json: the file is empty; expected a map of logins' });
  });

  test('of many rules knows the place of each', () => {
    const lines = Array.from({ length: 20_000 }, (_, number) => `  "image-${number}": "x"`);
    const text = `{\n${lines.join(',\n')}\n}\n`;

    const root = parseMap(text, 'x.json', 'a map');

    const wrong = root.entries.filter(
      ({ key, keyStart }) => !text.startsWith(`"${key}"`, keyStart),
    );
    assert.equal(root.entries.length, 20_000);
    assert.deepEqual(wrong, []);
  });
});
