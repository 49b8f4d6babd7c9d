import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import type { CopyReport } from '../../src/copy/report.ts';
import { type Desk, openDesk } from '../support/cli.ts';
import type { FinishedProcess } from '../support/process.ts';
import { type RunningRegistry, startRegistry, type TestRegistry } from '../support/registry.ts';
import type { RegistryOptions } from '../support/registry-options.ts';

/** Two registries, and a desk to copy from one to the other. */
export interface Move {
  readonly source: TestRegistry;
  readonly destination: TestRegistry;
  readonly desk: Desk;
}

export interface MoveOptions {
  readonly source?: RegistryOptions;
  readonly destination?: RegistryOptions;
  /** default: an auth.json with the logins of both */
  readonly logins?: 'none';
}

/** Sets a move up, for one test. */
export async function setUp(t: TestContext, options: MoveOptions = {}): Promise<Move> {
  const source = await startRegistry(options.source);
  t.after(() => source.close());
  const destination = await startRegistry(options.destination);
  t.after(() => destination.close());
  const desk = await openDesk();
  t.after(() => desk.close());
  if (options.logins !== 'none') await desk.write('auth.json', loginsTo(source, destination));
  return { source, destination, desk };
}

/** An auth.json for registries that speak plain HTTP. */
export function loginsTo(...registries: readonly RunningRegistry[]): string {
  const entries = registries.map(({ host, login }) => [
    host,
    { ...(login && { username: login.username, password: login.password }), insecure: true },
  ]);
  return JSON.stringify(Object.fromEntries(entries), undefined, 2);
}

export function linesOf(text: string): readonly string[] {
  return text.split('\n').filter((line) => line !== '');
}

export function reportIn({ stdout }: FinishedProcess): CopyReport {
  return JSON.parse(stdout) as CopyReport;
}

/**
 * Fails unless a command ended before it began, with words for people: the first line says what was wrong, and
 * at most one more says what to do.
 */
export function assertRefused(finished: FinishedProcess, first: RegExp, hint?: RegExp): void {
  assert.equal(finished.code, 2, finished.stderr);
  const [line = '', ...others] = linesOf(finished.stderr);
  assert.match(line, first);
  assert.match(line, /^error: /);
  assert.equal(others.length, hint ? 1 : 0, finished.stderr);
  if (hint) assert.match(others[0] ?? '', hint);
  assertForPeople(finished);
}

/** Fails where a text shows the inside of the program. */
export function assertForPeople({ stdout, stderr }: FinishedProcess): void {
  assert.doesNotMatch(stdout + stderr, /\n\s+at |undefined|\[object|node:internal|Error:/);
}

const TRIES = 400;
const BETWEEN_TRIES_MS = 25;

/** Waits until something that has no event of its own is so, ten seconds at most. */
export async function eventually(isSo: () => boolean): Promise<void> {
  for (let attempt = 0; attempt < TRIES && !isSo(); attempt += 1) await wait(BETWEEN_TRIES_MS);
  assert.ok(isSo(), `never became so: ${isSo}`);
}

/** A promise that a test settles. */
export function gate(): { readonly opened: Promise<void>; open(): void } {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open: () => open() };
}
