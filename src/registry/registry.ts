import { DOCKER_HUB, formatName, type RepositoryName } from '../oci/reference.ts';
import { authorized, type Gate, newGate } from './authorize.ts';
import type { Login } from './credentials.ts';
import { NetworkError } from './errors.ts';
import { Manner } from './manner.ts';
import { Pace, Paces, type Wait } from './pace.ts';
import { profileOf } from './profile.ts';
import { redirected, within } from './redirect.ts';
import { Repository } from './repository.ts';
import { REQUEST_RETRIES, type RetryPolicy, retried } from './retry.ts';
import type { KeptSessions } from './session-journal.ts';
import { type OpenTransport, openTransport, type Transport } from './transport.ts';

/** How a registry is to be spoken to; everything is left out for an ordinary one. */
export interface RegistrySettings {
  /** HTTPS without certificate checks is tried first, then plain HTTP */
  readonly insecure?: boolean;
  /** additional authorities, in PEM */
  readonly ca?: string;
  /** the client's certificate and its key, in PEM */
  readonly cert?: string;
  readonly key?: string;
}

/** What a repository is opened for. One token for each repository and right. */
export type Right = 'pull' | 'push';

/** The way to one repository with one login, for who wants to ask what no {@link Repository} answers. */
export interface Probe {
  readonly name: RepositoryName;
  /** `https://host/v2/<repository>/` */
  readonly base: URL;
  readonly transport: Transport;
  readonly login: Login;
}

export interface RegistryOptions {
  readonly host: string;
  readonly settings: RegistrySettings;
  readonly loginFor: (name: RepositoryName) => Promise<Login>;
  /** the bare transport of everybody else: storage services that blobs are redirected to */
  readonly foreign: Transport;
  readonly onLogin?: ((name: RepositoryName, login: Login) => void) | undefined;
  /** how fast each host is asked */
  readonly paces: Paces;
  readonly retry: RetryPolicy;
  /** a transfer in which no byte moves for so long has stalled, in milliseconds */
  readonly idleMs: number;
  readonly kept: KeptSessions | undefined;
}

const ACTIONS: Readonly<Record<Right, string>> = { pull: 'pull', push: 'pull,push' };

// Where Docker Hub answers; every other registry answers under its own name.
const DOCKER_HUB_HOST = 'registry-1.docker.io';

/** One registry host: its connections, its pace, its login; hands out repositories. */
export class Registry {
  readonly #options: RegistryOptions;
  readonly #pool: OpenTransport;
  readonly #send: Transport;
  readonly #realm: Transport;
  readonly #foreign: Transport;
  readonly #gate = newGate();
  readonly #manner: Manner;
  #origin: Promise<string> | undefined;

  constructor(options: RegistryOptions) {
    const { host, settings, foreign, paces, retry, idleMs } = options;
    this.#options = options;
    this.#pool = openTransport({ ...settings, verify: settings.insecure !== true, idleMs });
    this.#manner = new Manner(profileOf(host).pieces);
    const retries = retried(retry, paces);
    this.#send = retries(redirected(foreign)(this.#pool.transport));
    this.#realm = retries(this.#realmTransport());
    this.#foreign = retries(redirected(foreign)(foreign));
  }

  /**
   * Opens a repository for reading, or for reading and writing.
   *
   * @throws {CredentialError} a source of credentials is there but cannot be used
   * @throws {NetworkError} an insecure registry answers neither over HTTPS nor over HTTP
   */
  async repository(name: RepositoryName, right: Right): Promise<Repository> {
    const { retry, idleMs, kept } = this.#options;
    const { base, transport } = await this.probe(name, right, this.#gate);
    return new Repository({
      name,
      base,
      transport,
      foreign: this.#foreign,
      retry,
      uploads: { idleMs, manner: this.#manner, kept },
    });
  }

  /**
   * The same, without a repository around it. With a gate of its own it shares no token with other logins, and
   * so tries this one.
   *
   * @param right - undefined asks for a token that gives no right
   */
  async probe(
    name: RepositoryName,
    right: Right | undefined,
    gate: Gate = newGate(),
  ): Promise<Probe> {
    const { loginFor, onLogin, settings } = this.#options;
    const login = await loginFor(name);
    onLogin?.(name, login);
    const base = new URL(`${await this.#settledOrigin()}/v2/${name.repository}/`);
    const identity = {
      credential: login.credential,
      scopes: right ? [`repository:${name.repository}:${ACTIONS[right]}`] : [],
      plainRealm: settings.insecure === true,
    };
    const loggedIn = authorized(gate, identity, this.#realm);
    const transport = within(base.origin, this.#foreign)(loggedIn(this.#send));
    return { name, base, transport, login };
  }

  async close(): Promise<void> {
    await this.#pool.close();
  }

  // A token service may live on another host, which nobody has called insecure.
  #realmTransport(): Transport {
    const { host, settings, foreign } = this.#options;
    const own = this.#pool.transport;
    return (request) => (settings.insecure && request.url.host !== host ? foreign : own)(request);
  }

  // An insecure registry is asked once which scheme it speaks, before any credential is sent.
  #settledOrigin(): Promise<string> {
    this.#origin ??= this.#settle().catch((error: unknown) => {
      this.#origin = undefined;
      throw error;
    });
    return this.#origin;
  }

  async #settle(): Promise<string> {
    const { host, settings } = this.#options;
    const address = host === DOCKER_HUB ? DOCKER_HUB_HOST : host;
    const secure = `https://${address}`;
    if (!settings.insecure || (await this.#answers(secure))) return secure;
    const plain = `http://${address}`;
    const refusal = await this.#refusal(plain);
    if (refusal) throw refusal;
    return plain;
  }

  async #answers(origin: string): Promise<boolean> {
    return (await this.#refusal(origin)) === undefined;
  }

  async #refusal(origin: string): Promise<NetworkError | undefined> {
    try {
      const response = await this.#pool.transport({ method: 'GET', url: new URL(`${origin}/v2/`) });
      await response.discard();
      return undefined;
    } catch (error) {
      if (error instanceof NetworkError) return error;
      throw error;
    }
  }
}

/** Opens repositories of any registry; each host and way to speak to it is opened once. */
export interface Registries {
  open(name: RepositoryName, right: Right): Promise<Repository>;
  probe(name: RepositoryName, right: Right | undefined): Promise<Probe>;
  close(): Promise<void>;
}

export interface RegistriesOptions extends Pick<RegistryOptions, 'loginFor' | 'onLogin'> {
  readonly settingsFor: (name: RepositoryName) => RegistrySettings;
  readonly onWait?: ((wait: Wait) => void) | undefined;
  /** the most requests a second to each registry */
  readonly rps?: number | undefined;
  readonly retry?: RetryPolicy | undefined;
  readonly patience?: Patience | undefined;
  /** uploads that outlive this process */
  readonly kept?: KeptSessions | undefined;
}

/** For how long things may stand still, in milliseconds. */
export interface Patience {
  /** a transfer in which no byte moves */
  readonly idleMs?: number;
  /** a registry that has answered before and cannot be reached now */
  readonly awayMs?: number;
}

// A connection that is idle for longer than this is as good as lost; a transfer may be slow, but never this silent.
const IDLE_MS = 60_000;

export function openRegistries(options: RegistriesOptions): Registries {
  const { settingsFor, loginFor, onLogin, onWait, rps, patience = {}, kept } = options;
  const { retry = REQUEST_RETRIES } = options;
  const { idleMs = IDLE_MS, awayMs } = patience;
  // Who is impatient with requests is so with hosts.
  const backoff = options.retry;
  const paces = new Paces(
    (host) => new Pace({ host, profile: profileOf(host), ceiling: rps, awayMs, backoff, onWait }),
  );
  const shared = { loginFor, onLogin, paces, retry, idleMs, kept };
  const elsewhere = openTransport({ idleMs });
  const foreign = elsewhere.transport;
  const registries = new Map<string, Registry>();
  const repositories = new Map<string, Promise<Repository>>();

  const registryOf = (name: RepositoryName): Registry => {
    const settings = settingsFor(name);
    const key = JSON.stringify([name.registry, settings]);
    const registry =
      registries.get(key) ?? new Registry({ ...shared, host: name.registry, settings, foreign });
    registries.set(key, registry);
    return registry;
  };

  return {
    open: (name, right) => {
      const key = `${right} ${formatName(name)}`;
      const known = repositories.get(key);
      if (known) return known;
      const opened = registryOf(name).repository(name, right);
      repositories.set(key, opened);
      opened.catch(() => repositories.delete(key));
      return opened;
    },
    probe: (name, right) => registryOf(name).probe(name, right),
    close: async () => {
      await Promise.all([elsewhere.close(), ...[...registries.values()].map((one) => one.close())]);
    },
  };
}
