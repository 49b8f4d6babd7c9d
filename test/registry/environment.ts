import type { TestContext } from 'node:test';
import type { Environment } from '../support/process.ts';

/** Changes the environment of this process, for what reads it there, until the test ends. */
export function live(context: TestContext, environment: Environment): void {
  const before = { ...process.env };
  Object.assign(process.env, environment);
  context.after(() => {
    for (const name of Object.keys(environment)) delete process.env[name];
    Object.assign(process.env, before);
  });
}
