import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { parseSelector } from '../../src/cluster/selector.ts';

const LABELS = { app: 'web', tier: 'front', 'example.com/stage': 'test', empty: '' };

const CASES: readonly [string, boolean][] = [
  ['', true],
  ['app=web', true],
  ['app==web', true],
  ['app = web', true],
  ['app=api', false],
  ['app!=api', true],
  ['app!=web', false],
  ['missing!=web', true],
  ['app', true],
  ['missing', false],
  ['!missing', true],
  ['! missing', true],
  ['!app', false],
  ['app in (web)', true],
  ['app in (api, web)', true],
  ['app in (api)', false],
  ['missing in (web)', false],
  ['app notin (api,db)', true],
  ['app notin (web)', false],
  ['missing notin (web)', true],
  ['empty=', true],
  ['app=', false],
  ['missing=', false],
  ['empty in ()', true],
  ['missing notin ()', true],
  ['app=web,tier=front', true],
  ['app=web,tier=back', false],
  ['app in (web,api),tier!=back,!missing', true],
  ['example.com/stage=test', true],
  ['toString', false],
];

describe('a label selector', () => {
  for (const [text, expected] of CASES)
    it(`"${text}" ${expected ? 'selects' : 'does not select'}`, () => {
      assert.equal(parseSelector(text)(LABELS), expected);
    });

  for (const text of [
    'app=web=x',
    'app in web',
    'in (a)',
    'app in (a',
    '=web',
    'a b',
    'app=we b',
    ',',
  ])
    it(`"${text}" is refused with an example`, () => {
      assert.throws(() => parseSelector(text), {
        name: 'ClusterError',
        reason: 'configuration',
        hint: 'Write it as for kubectl: app=web,tier!=cache,env in (a, b),!draft.',
      });
    });

  const key = fc.constantFrom('a', 'b', 'example.com/c');
  const value = fc.constantFrom('', 'x', 'y', 'z-1');
  const labels = fc.dictionary(key, value);

  it('selects by "in" and "notin" what the other does not', () => {
    fc.assert(
      fc.property(labels, key, fc.array(value, { minLength: 1 }), (labels, key, values) => {
        const isIn = parseSelector(`${key} in (${values.join(',')})`)(labels);
        const isNotIn = parseSelector(`${key} notin (${values.join(',')})`)(labels);

        assert.equal(isIn, !isNotIn);
        assert.equal(
          isIn,
          values.some((value) => value === labels[key]),
        );
      }),
    );
  });

  it('asks for all of its parts at once', () => {
    const part = fc.tuple(key, fc.constantFrom('=', '!='), value).map((parts) => parts.join(''));
    fc.assert(
      fc.property(labels, fc.array(part, { minLength: 1, maxLength: 4 }), (labels, parts) => {
        const together = parseSelector(parts.join(','))(labels);

        assert.equal(
          together,
          parts.every((part) => parseSelector(part)(labels)),
        );
      }),
    );
  });
});
