import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { InterruptedError } from '../../src/copy/errors.ts';
import { IncompleteError, type Verdict } from '../../src/copy/verify.ts';
import { showVerdicts } from '../../src/progress/verdicts.ts';
import { task } from '../copy/corpus.ts';

const ONE = task('nginx:1.27', 'swr.example/test/nginx:1.27');
const HERE = `sha256:${'a'.repeat(64)}` as const;
const THERE = `sha256:${'b'.repeat(64)}` as const;
const NAMES = 'docker.io/library/nginx:1.27 -> swr.example/test/nginx:1.27';

function shown(verdict: Verdict): string {
  const parts: string[] = [];
  const stream = { write: (part: string) => parts.push(part) };
  const explain = (error: unknown) => `${(error as Error).message} [CODE]`;
  showVerdicts({ stream, explain })(ONE, verdict);
  return parts.join('');
}

function incomplete(faults: readonly string[]): Verdict {
  const digests = { sourceDigest: HERE, destinationDigest: HERE };
  const error = new IncompleteError(ONE.destination, faults);
  return { status: 'incomplete', ...digests, faults, notes: [], error };
}

describe('A verdict', () => {
  for (const status of ['identical', 'converted'] as const)
    test(`that is ${status} gets no line`, () => {
      const text = shown({
        status,
        sourceDigest: HERE,
        destinationDigest: HERE,
        notes: ['a note'],
      });

      assert.equal(text, '');
    });

  test('that something is missing says what and where', () => {
    const text = shown({ status: 'missing', sourceDigest: HERE, notes: [] });

    assert.equal(text, `missing    ${NAMES}\n`);
  });

  test('that something differs shows both digests', () => {
    const digests = { sourceDigest: HERE, destinationDigest: THERE };

    const text = shown({ status: 'different', ...digests, notes: [] });

    assert.equal(text, `different  ${NAMES}  ${THERE} instead of ${HERE}\n`);
  });

  test('that something is incomplete names a few parts and counts the others', () => {
    const few = shown(incomplete(['blob 1 is missing', 'blob 2 is missing']));
    const many = shown(incomplete(['one', 'two', 'three', 'four', 'five']));

    assert.equal(few, `incomplete ${NAMES}  blob 1 is missing; blob 2 is missing\n`);
    assert.equal(many, `incomplete ${NAMES}  one; two; three; and 2 more\n`);
  });

  test('that could not be reached says why, in one line without control characters', () => {
    const text = shown({ status: 'failed', error: new Error('no\n\u001b[31mway'), notes: [] });

    assert.equal(text, `failed     ${NAMES} : no [31mway [CODE]\n`);
  });

  test('that an interruption cut off gets no line: the last one counts them', () => {
    const text = shown({ status: 'failed', error: new InterruptedError(), notes: [] });

    assert.equal(text, '');
  });
});
