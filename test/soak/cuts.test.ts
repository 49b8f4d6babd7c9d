import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { DISTRIBUTION } from '../support/distribution.ts';
import { skipUnless } from '../support/requirement.ts';
import { type CutOptions, type Cuts, cut } from './cuts.ts';

const BYTES = 320 * 1024 * 1024;

describe('A large layer', { skip: skipUnless(DISTRIBUTION), timeout: 180_000 }, () => {
  const tried = async (context: TestContext, options: Omit<CutOptions, 'bytes'>): Promise<Cuts> => {
    const cuts = await cut({ ...options, bytes: BYTES });
    const { fetched, sent } = cuts;
    context.diagnostic(`${cuts.cuts} cuts, ${fetched.toFixed(3)} fetched, ${sent.toFixed(3)} sent`);
    assert.deepEqual(cuts.faults, []);
    return cuts;
  };

  test('that is cut at its source is sent once', async (context) => {
    const { cuts, fetched, sent } = await tried(context, {
      ...{ at: 'source', to: 'distribution', times: 5 },
    });

    assert.equal(cuts, 5);
    assert.ok(fetched <= 1.1 && sent <= 1.01);
  });

  test('that is cut at a destination that says what it has is fetched little more than once', async (context) => {
    const { cuts, fetched, sent } = await tried(context, {
      ...{ at: 'destination', to: 'confirming', times: 5 },
    });

    // A few megabytes for each cut: what connections held.
    assert.equal(cuts, 5);
    assert.ok(fetched <= 1.15 && sent <= 1.01);
  });

  test('that is cut at distribution goes on in pieces that pass', async (context) => {
    const { cuts, fetched, sent } = await tried(context, {
      ...{ at: 'destination', to: 'distribution', times: 5 },
    });

    assert.equal(cuts, 1);
    assert.ok(fetched <= 1.3 && sent <= 1.3);
  });

  test('whose run is killed goes on in the next one', async (context) => {
    const { cuts, fetched, sent } = await tried(context, {
      ...{ at: 'process', to: 'confirming', times: 3 },
    });

    assert.equal(cuts, 3);
    assert.ok(fetched <= 1.2 && sent <= 1.01);
  });
});
