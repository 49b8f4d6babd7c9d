import type { TestContext } from 'node:test';
import type { Credential } from '../../src/registry/credentials.ts';
import { openRegistries, type RegistrySettings, type Right } from '../../src/registry/registry.ts';
import type { Repository } from '../../src/registry/repository.ts';
import type { KeptSessions } from '../../src/registry/session-journal.ts';
import { QUICK } from '../registry/opening.ts';
import type { Behavior } from './stranger.ts';

export const LOGIN: Credential = { kind: 'password', username: 'me', password: 'hunter2' };
/** How the login looks on its way. */
export const BASIC = `Basic ${Buffer.from('me:hunter2').toString('base64')}`;

export interface Visit {
  /** default: plain HTTP may be spoken */
  readonly settings?: RegistrySettings;
  readonly credential?: Credential;
  readonly right?: Right;
  readonly kept?: KeptSessions;
}

/** Opens `team/app` of a registry as a run does, with everything around it, and without its pauses. */
export async function visit(
  context: TestContext,
  host: string,
  { settings = { insecure: true }, credential = LOGIN, right = 'push', kept }: Visit = {},
): Promise<Repository> {
  const registries = openRegistries({
    settingsFor: () => settings,
    loginFor: async () => ({ origin: 'a test', credential }),
    retry: QUICK,
    patience: { awayMs: 100 },
    kept,
  });
  context.after(() => registries.close());
  return registries.open({ registry: host, repository: 'team/app' }, right);
}

/** A registry that lets in whoever shows the Basic login, and asks all others for it. */
export function loggedIn(behavior: Behavior): Behavior {
  return (request, response) => {
    if (request.headers.authorization === BASIC) behavior(request, response);
    else response.writeHead(401, { 'www-authenticate': 'Basic realm="registry"' }).end();
  };
}
