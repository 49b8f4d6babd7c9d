import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { DISTRIBUTION } from '../support/distribution.ts';
import { skipUnless } from '../support/requirement.ts';
import { documentOf, titleOf } from './document.ts';
import { type FaultRow, sidesOf } from './row.ts';
import { openStage, type Stage } from './stage.ts';
import { TABLE } from './table.ts';
import { type Setting, type Trial, tryRow, tryWithout } from './trial.ts';
import { complaintsOf } from './verdict.ts';

const DOCUMENT = new URL('../../docs/faults.md', import.meta.url);
// Most of a trial is waiting.
const AT_A_TIME = 6;
const TRIAL_MS = 45_000;

const skip = skipUnless(DISTRIBUTION);
const tried: { readonly row: FaultRow; readonly isRight: boolean }[] = [];

describe('Faults', { skip, concurrency: AT_A_TIME }, () => {
  let stage: Stage;
  const withouts = new Map<string, Promise<Trial>>();

  /** The same without the fault, run once for all rows of this setting. */
  const without = ({ images, older, destination }: FaultRow) => {
    const setting: Setting = {
      ...(images ? { images } : {}),
      ...(older ? { older } : {}),
      ...(destination ? { destination } : {}),
    };
    const key = JSON.stringify(setting);
    const known = withouts.get(key) ?? tryWithout(stage, setting);
    withouts.set(key, known);
    return known;
  };

  before(async () => {
    stage = await openStage();
  });
  after(() => stage.close());

  for (const row of TABLE)
    for (const side of sidesOf(row))
      test(titleOf(row, side), { timeout: TRIAL_MS }, async ({ signal }) => {
        const calm = await without(row);

        const trial = await tryRow(stage, row, side, signal);

        const complaints = complaintsOf(row, side, trial, calm);
        tried.push({ row, isRight: complaints.length === 0 });
        assert.deepEqual(complaints, []);
      });
});

test('Every fault of the table was survived, or reported as it should be', { skip }, (t) => {
  const count = (rows: readonly FaultRow[]) => {
    const survived = rows.filter(({ expected }) => expected === 'survived').length;
    return { survived, reported: rows.length - survived };
  };

  const right = count(tried.filter(({ isRight }) => isRight).map(({ row }) => row));

  t.diagnostic(
    `${tried.length} faults tried, ${right.survived} survived, ${right.reported} reported`,
  );
  assert.deepEqual(right, count(TABLE.flatMap((row) => sidesOf(row).map(() => row))));
});

test('Each fault has a name of its own, and says what happens in one sentence', () => {
  const names = TABLE.map(({ name }) => name);
  const strange = TABLE.filter(({ what }) => !/^[A-Za-z0-9][^\n]*\.$/.test(what));

  assert.deepEqual([...new Set(names)], names);
  assert.deepEqual(strange, []);
});

test('docs/faults.md holds one row for each fault', async () => {
  const written = await readFile(DOCUMENT, 'utf8');

  assert.equal(written, documentOf(TABLE));
});
