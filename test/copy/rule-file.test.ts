import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { addRules, formatRules, type RuleText } from '../../src/copy/rule-file.ts';
import { parseMap } from '../../src/text/document.ts';

const NEW: readonly RuleText[] = [
  { source: 'b:1', destination: 'reg.io/b:1' },
  { source: 'a:1', destination: 'reg.io/a:1' },
];

/** The pairs of a file, in its order. */
function pairs(text: string, file = 'images.json') {
  return parseMap(text, file, 'a map').entries.map(({ key, value }) => [
    key,
    value.kind === 'scalar' ? value.text : value.kind,
  ]);
}

describe('Rules are written', () => {
  test('as JSON, one on each line, sorted by source', () => {
    assert.equal(formatRules(NEW), '{\n  "a:1": "reg.io/a:1",\n  "b:1": "reg.io/b:1"\n}\n');
  });

  test('as an empty map where there are none', () => {
    assert.equal(formatRules([]), '{}\n');
  });

  test('by code points, not by the language of the machine', () => {
    const sources = ['b', 'B', 'a', 'ä', 'a-b', 'a/b', 'a.b'];

    const text = formatRules(sources.map((source) => ({ source, destination: '' })));

    assert.deepEqual(Object.keys(JSON.parse(text)), ['B', 'a', 'a-b', 'a.b', 'a/b', 'b', 'ä']);
  });
});

describe('Rules are added', () => {
  const cases: readonly (readonly [string, string, string])[] = [
    ['to an empty map', '{}\n', '{\n  "a:1": "reg.io/a:1",\n  "b:1": "reg.io/b:1"\n}\n'],
    [
      'to an empty map on two lines',
      '{\n}\n',
      '{\n  "a:1": "reg.io/a:1",\n  "b:1": "reg.io/b:1"\n}\n',
    ],
    [
      'behind the last one',
      '{\n  "z": "1"\n}\n',
      '{\n  "z": "1",\n  "a:1": "reg.io/a:1",\n  "b:1": "reg.io/b:1"\n}\n',
    ],
    [
      'behind a trailing comma',
      '{\n  "z": "1",\n}\n',
      '{\n  "z": "1",\n  "a:1": "reg.io/a:1",\n  "b:1": "reg.io/b:1"\n}\n',
    ],
    [
      'behind the comment of the last one',
      '{\n  "z": "1" // mine, not yours\n}\n',
      '{\n  "z": "1", // mine, not yours\n  "a:1": "reg.io/a:1",\n  "b:1": "reg.io/b:1"\n}\n',
    ],
    [
      'behind a trailing comma and comments that hold commas',
      '{\n  "z": "1" /* a, b */, // c, d\n  // e, f\n}\n',
      '{\n  "z": "1" /* a, b */, // c, d\n  // e, f\n  "a:1": "reg.io/a:1",\n  "b:1": "reg.io/b:1"\n}\n',
    ],
    [
      'to a map on one line',
      '{"z": ["1", "2"]}',
      '{"z": ["1", "2"],\n  "a:1": "reg.io/a:1",\n  "b:1": "reg.io/b:1"\n}',
    ],
    [
      'behind a byte order mark, with the line ends of the file',
      '\uFEFF{\r\n  "z": "1"\r\n}\r\n',
      '\uFEFF{\r\n  "z": "1",\r\n  "a:1": "reg.io/a:1",\r\n  "b:1": "reg.io/b:1"\r\n}\r\n',
    ],
  ];
  for (const [title, before, after] of cases)
    test(title, () => {
      assert.equal(addRules(before, 'images.json', NEW), after);
    });

  test('to an empty map that holds a comment, which stays', () => {
    const text = addRules('{\n  // nothing yet\n}\n', 'images.json', NEW);

    assert.match(text, /\/\/ nothing yet\n/);
    assert.deepEqual(pairs(text), [
      ['a:1', 'reg.io/a:1'],
      ['b:1', 'reg.io/b:1'],
    ]);
  });

  const yaml: readonly (readonly [string, string])[] = [
    ['YAML', 'z: "1" # mine\n'],
    ['YAML that does not end in a line break', 'z: "1"'],
    ['YAML whose last value is empty', 'z:\n'],
    ['YAML whose last value is a list', 'z:\n  - "1"\n  - "2"\n'],
    ['YAML whose last value is folded', 'z: >-\n  1\n'],
    ['YAML with line ends of Windows', 'z: "1"\r\n'],
    ['YAML that begins with a mark and a comment', '---\n# images\nz: "1"\n'],
  ];
  for (const [title, before] of yaml)
    test(`to ${title}`, () => {
      const text = addRules(before, 'images.yaml', NEW);

      assert.ok(text.startsWith(before));
      assert.deepEqual(pairs(text, 'images.yaml').slice(1), [
        ['a:1', 'reg.io/a:1'],
        ['b:1', 'reg.io/b:1'],
      ]);
    });

  test('to a YAML map in braces', () => {
    const text = addRules('{z: "1", # mine\n}\n', 'images.yaml', NEW);

    assert.ok(text.startsWith('{z: "1", # mine\n'));
    assert.equal(pairs(text, 'images.yaml').length, 3);
  });

  test('and a file that cannot be added to is left alone, with advice', () => {
    for (const text of ['  z: "1"\n', 'z: "1"\n...\n'])
      assert.throws(() => addRules(text, 'images.yaml', NEW), {
        name: 'DocumentError',
        message: /images\.yaml.*(add them by hand or use --force|broken YAML|not expected)/,
      });
  });

  test('and no rules change nothing', () => {
    assert.equal(addRules('{ "z" : "1" , }', 'images.json', []), '{ "z" : "1" , }');
  });

  test('whatever the file looks like, nothing that stands in it is lost', () => {
    const blank = fc.constantFrom('', ' ', '\n', '\t', ' // c, }\n', '/* , } */', '\n\n');
    const entry = fc.tuple(blank, fc.stringMatching(/^[a-z/:,{}"\\]{1,6}$/), blank, blank);
    fc.assert(
      fc.property(
        fc.array(entry, { maxLength: 4 }),
        fc.boolean(),
        blank,
        blank,
        (entries, trailing, lead, end) => {
          const body = entries
            .map(([one, key, two, three]) => `${one}${JSON.stringify(key)}${two}:${three}"v"${two}`)
            .join(',');
          const before = `${lead}{${body}${trailing && entries.length > 0 ? ',' : ''}${end}}${end}`;

          const after = addRules(before, 'images.json', NEW);

          const known = pairs(before);
          assert.deepEqual(pairs(after).slice(0, known.length), known);
          assert.deepEqual(
            pairs(after)
              .slice(known.length)
              .map(([key]) => key),
            ['a:1', 'b:1'],
          );
          assert.ok(isSubsequence(before, after));
        },
      ),
      { numRuns: 300 },
    );
  });
});

/** Whether every character of one text stands in the other, in the same order. */
function isSubsequence(part: string, whole: string): boolean {
  let at = 0;
  for (const character of whole) if (character === part[at]) at += 1;
  return at === part.length;
}
