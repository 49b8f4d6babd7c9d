import type { TestContext } from 'node:test';
import type { Descriptor } from '../../src/oci/descriptor.ts';
import { type Bytes, digestOf } from '../../src/oci/digest.ts';
import type { OpenBlob } from '../../src/oci/store.ts';
import { authorized, newGate } from '../../src/registry/authorize.ts';
import type { Credential, Login } from '../../src/registry/credentials.ts';
import { Manner } from '../../src/registry/manner.ts';
import { Pace, Paces } from '../../src/registry/pace.ts';
import { redirected } from '../../src/registry/redirect.ts';
import {
  openRegistries,
  type Registries,
  type RegistriesOptions,
  type RegistrySettings,
  type Right,
} from '../../src/registry/registry.ts';
import { Repository, type RepositoryOptions } from '../../src/registry/repository.ts';
import { type RetryPolicy, retried } from '../../src/registry/retry.ts';
import { openTransport } from '../../src/registry/transport.ts';
import type { RunningRegistry } from '../support/registry.ts';

/** As many retries as in a run, without its pauses. */
export const QUICK: RetryPolicy = { retries: 3, firstDelayMs: 1, maximumDelayMs: 2 };

/** Paces without pauses of their own. */
export function quickPaces(): Paces {
  return new Paces((host) => new Pace({ host, backoff: QUICK, awayMs: 100 }));
}

/** What auth.json would say of how to speak to this registry. */
export function settingsOf({ authority }: RunningRegistry): RegistrySettings {
  return authority === undefined ? { insecure: true } : { ca: authority };
}

/** The login that a registry wants, or none. */
export function loginOf({ login }: RunningRegistry): Login {
  if (!login) return { origin: 'anonymous' };
  const { username, password } = login;
  return { origin: 'a test', credential: { kind: 'password', username, password } };
}

/** Opens repositories as a run does, and closes all of them with the test. */
export function openAll(
  context: TestContext,
  registry: RunningRegistry,
  options: Partial<RegistriesOptions> = {},
): Registries {
  const registries = openRegistries({
    settingsFor: () => settingsOf(registry),
    loginFor: async () => loginOf(registry),
    ...options,
  });
  context.after(() => registries.close());
  return registries;
}

export interface Opening {
  readonly path?: string;
  readonly right?: Right;
  /** instead of the registry's own login; null: none */
  readonly credential?: Credential | null;
}

/** One repository of a registry, with everything that a run puts around it. */
export async function open(
  context: TestContext,
  registry: RunningRegistry,
  { path = 'team/app', right = 'push', credential }: Opening = {},
): Promise<Repository> {
  const login: Login =
    credential === undefined
      ? loginOf(registry)
      : { origin: 'a test', ...(credential ? { credential } : {}) };
  const registries = openAll(context, registry, { loginFor: async () => login });
  return registries.open({ registry: registry.host, repository: path }, right);
}

export interface Bare extends Partial<RepositoryOptions['uploads']> {
  readonly path?: string;
  readonly credential?: Credential;
}

/** The same over plain HTTP, with retries that do not pause; without a login unless one is given. */
export function openBare(
  context: TestContext,
  registry: RunningRegistry,
  { path = 'team/app', credential, ...uploads }: Bare = {},
): Repository {
  const { transport, close } = openTransport({});
  context.after(close);
  const retries = retried(QUICK, quickPaces());
  const send = retries(redirected(transport)(transport));
  const scopes = [`repository:${path}:pull,push`];
  const identity = { credential, scopes, plainRealm: true };
  return new Repository({
    name: { registry: registry.host, repository: path },
    base: new URL(`${registry.url}/v2/${path}/`),
    transport: credential ? authorized(newGate(), identity, retries(transport))(send) : send,
    foreign: send,
    retry: QUICK,
    uploads: { idleMs: 60_000, manner: new Manner('ask'), ...uploads },
  });
}

/** A blob with its bytes, and a way to open it that counts. */
export interface Content {
  readonly descriptor: Descriptor;
  readonly bytes: Buffer;
  readonly open: OpenBlob;
  /** the offsets it was opened with */
  readonly opened: readonly number[];
}

export function content(text: string | Uint8Array): Content {
  const bytes = Buffer.from(text);
  const opened: number[] = [];
  return {
    bytes,
    opened,
    descriptor: {
      mediaType: 'application/octet-stream',
      digest: digestOf(bytes),
      size: bytes.length,
    },
    open: async (offset) => {
      opened.push(offset);
      return inChunks(bytes.subarray(offset));
    },
  };
}

const CHUNK_BYTES = 64 * 1024;

async function* inChunks(bytes: Uint8Array): Bytes {
  for (let at = 0; at < bytes.length; at += CHUNK_BYTES) yield bytes.subarray(at, at + CHUNK_BYTES);
}

export async function collect(bytes: Bytes): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(bytes));
}

/** What a promise was rejected with. */
export async function failureOf(work: Promise<unknown>): Promise<Error> {
  try {
    await work;
  } catch (error) {
    return error as Error;
  }
  throw new Error('it should have failed');
}
