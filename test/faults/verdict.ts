import { inspect } from 'node:util';
import type { Side } from '../../src/copy/errors.ts';
import { PUSHER } from '../support/registry-users.ts';
import type { FaultRow } from './row.ts';
import type { Failure, Trial } from './trial.ts';

// A fault may cost some requests, never a storm of them.
const MORE_REQUESTS = 60;

/** What is other than the row says, one line each; an empty list is what should be. */
export function complaintsOf(
  row: FaultRow,
  side: Side,
  trial: Trial,
  without: Trial,
): readonly string[] {
  const { more = MORE_REQUESTS, again = Number.POSITIVE_INFINITY } = row;
  const requests = trial.requests - without.requests;
  const bytes = trial.bytes[side] - without.bytes[side];
  return [
    ...trial.missed.map(
      (fault) =>
        `this did not happen: ${inspect(fault, { breakLength: Number.POSITIVE_INFINITY })}`,
    ),
    ...(row.expected === 'survived'
      ? survived(trial)
      : reported(row, row.expected.reported, side, trial)),
    ...trial.standing.flatMap(({ wrong }) => wrong),
    ...(trial.leaked > 0 ? [`${trial.leaked} requests told another origin the login`] : []),
    ...(requests > more ? [`${requests} requests more than without the fault`] : []),
    ...(bytes > again ? [`${bytes} bytes passed a second time`] : []),
  ];
}

function survived({ failures, standing }: Trial): readonly string[] {
  const missing = standing.filter(({ tag }) => tag !== 'image').length;
  return [
    ...failures.map((failure) => `not survived: ${wordsOf(failure)}`),
    ...(missing > 0 ? [`${missing} images are not at the destination`] : []),
  ];
}

function reported(row: FaultRow, code: string, side: Side, trial: Trial): readonly string[] {
  const { failures, standing, images } = trial;
  const there = standing.filter(({ tag }) => tag === 'image').length;
  // A rule that cannot be expanded is one failure, whatever number of images it means.
  const silent = row.images === 'many' ? 0 : images - there - failures.length;
  const excess = there - (images - failures.length);
  return [
    ...(failures.length === 0 ? ['nothing was reported'] : []),
    ...(silent > 0 ? [`${silent} images are missing, and nobody was told`] : []),
    ...(excess > 0 && !row.mayStand ? [`${excess} tags stand although they are reported`] : []),
    ...failures.flatMap((failure) => [
      ...(failure.code === code ? [] : [`not ${code}: ${wordsOf(failure)}`]),
      ...(failure.side === side ? [] : [`not of the ${side}: ${wordsOf(failure)}`]),
      ...(row.attempts === undefined || failure.attempts === row.attempts
        ? []
        : [`tried ${failure.attempts} times: ${wordsOf(failure)}`]),
      ...(isForPeople(failure) ? [] : [`not for people: ${wordsOf(failure)}`]),
    ]),
  ];
}

function isForPeople({ message }: Failure): boolean {
  return !(/\n|Bearer|undefined|\[object/.test(message) || message.includes(PUSHER.password));
}

function wordsOf({ code, message }: Failure): string {
  return `${message} [${code}]`;
}
