import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { parseChallenges } from '../../src/registry/challenge.ts';

const read = (header: string) =>
  parseChallenges(header).map(({ scheme, parameters }) => [scheme, Object.fromEntries(parameters)]);

describe('challenges', () => {
  const cases: readonly (readonly [string, unknown])[] = [
    ['', []],
    ['Basic', [['basic', {}]]],
    ['Basic realm="a registry"', [['basic', { realm: 'a registry' }]]],
    [
      'Bearer realm="https://r.example/token",service="r.example",scope="repository:a/b:pull,push"',
      [
        [
          'bearer',
          {
            realm: 'https://r.example/token',
            service: 'r.example',
            scope: 'repository:a/b:pull,push',
          },
        ],
      ],
    ],
    ['BEARER Realm=https://r.example/token', [['bearer', { realm: 'https://r.example/token' }]]],
    [
      'Basic realm="a, Bearer realm=\\"b\\"", Bearer realm = "c" , service=d',
      [
        ['basic', { realm: 'a, Bearer realm="b"' }],
        ['bearer', { realm: 'c', service: 'd' }],
      ],
    ],
    [
      'Negotiate, NTLM, Basic realm="x"',
      [
        ['negotiate', {}],
        ['ntlm', {}],
        ['basic', { realm: 'x' }],
      ],
    ],
    ['Bearer realm="" service="s"', [['bearer', { realm: '', service: 's' }]]],
    [',, ,Basic realm=x,,', [['basic', { realm: 'x' }]]],
    ['realm="nobody asked"', []],
  ];
  for (const [header, expected] of cases)
    test(`are read from ${JSON.stringify(header)}`, () => {
      assert.deepEqual(read(header), expected);
    });

  test('come out as they went in, in any order and quoting', () => {
    const token = fc.stringMatching(/^[a-z][a-z0-9_-]{0,8}$/);
    const challenge = fc.record({
      scheme: token,
      parameters: fc.dictionary(token, fc.string({ minLength: 1 }), { minKeys: 1, maxKeys: 4 }),
      quote: fc.boolean(),
      space: fc.constantFrom('', ' '),
    });
    fc.assert(
      fc.property(fc.array(challenge, { maxLength: 4 }), (challenges) => {
        const header = challenges
          .map(({ scheme, parameters, quote, space }) => {
            const written = Object.entries(parameters).map(([key, value]) => {
              const bare = !quote && /^[^\s,"\\]+$/.test(value) && !/^=/.test(value);
              const text = bare ? value : `"${value.replace(/["\\]/g, '\\$&')}"`;
              return `${key}${space}=${space}${text}`;
            });
            return `${scheme} ${written.join(`,${space}`)}`;
          })
          .join(', ');

        const found = read(header);

        assert.deepEqual(
          found,
          challenges.map(({ scheme, parameters }) => [
            scheme,
            Object.fromEntries(Object.entries(parameters)),
          ]),
        );
      }),
    );
  });

  test('never throw, whatever a server writes', () => {
    const odd = fc.array(
      fc.constantFrom('Bearer', 'Basic', 'realm', '=', '"', '\\', ',', ' ', 'ü', '\0', 'x=y', '=='),
      { maxLength: 60 },
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          odd.map((parts) => parts.join('')),
        ),
        (header) => {
          for (const { scheme } of parseChallenges(header)) assert.match(scheme, /^[^\s,"=]+$/);
        },
      ),
      { numRuns: 1000 },
    );
  });
});
