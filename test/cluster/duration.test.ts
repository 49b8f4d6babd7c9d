import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { requestTimeoutMs } from '../../src/cluster/duration.ts';

describe('--request-timeout', () => {
  const durations: readonly [string, number | undefined][] = [
    ['0', undefined],
    ['0s', undefined],
    ['30', 30_000],
    ['5s', 5000],
    ['1m30s', 90_000],
    ['2h', 7_200_000],
    ['1.5s', 1500],
    ['250ms', 250],
  ];
  for (const [text, milliseconds] of durations)
    it(`"${text}" is ${milliseconds === undefined ? 'no limit' : `${milliseconds} ms`}`, () => {
      assert.equal(requestTimeoutMs(text), milliseconds);
    });

  for (const text of ['', 'soon', '5 s', '-1', '5d', '1s later'])
    it(`"${text}" is refused`, () => {
      assert.throws(() => requestTimeoutMs(text), {
        name: 'ClusterError',
        message: `"${text}" is not a request timeout`,
      });
    });
});
