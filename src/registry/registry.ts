import { DOCKER_HUB, formatName, type RepositoryName } from '../oci/reference.ts';
import { authorized, newGate } from './authorize.ts';
import type { Login } from './credentials.ts';
import { NetworkError } from './errors.ts';
import { paced, type Wait } from './pace.ts';
import { redirected, within } from './redirect.ts';
import { Repository } from './repository.ts';
import { REQUEST_RETRIES, retried } from './retry.ts';
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

export interface RegistryOptions {
  readonly host: string;
  readonly settings: RegistrySettings;
  readonly loginFor: (name: RepositoryName) => Promise<Login>;
  /** the bare transport of everybody else: storage services that blobs are redirected to */
  readonly foreign: Transport;
  readonly onLogin?: (name: RepositoryName, login: Login) => void;
  readonly onWait?: (wait: Wait) => void;
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
  #origin: Promise<string> | undefined;

  constructor(options: RegistryOptions) {
    const { settings, foreign, onWait } = options;
    this.#options = options;
    this.#pool = openTransport({ ...settings, verify: settings.insecure !== true });
    const retries = retried(REQUEST_RETRIES);
    const pace = paced(onWait ?? (() => undefined));
    this.#send = retries(pace(redirected(foreign)(this.#pool.transport)));
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
    const { loginFor, onLogin, settings } = this.#options;
    const login = await loginFor(name);
    onLogin?.(name, login);
    const base = new URL(`${await this.#settledOrigin()}/v2/${name.repository}/`);
    const identity = {
      credential: login.credential,
      scopes: [`repository:${name.repository}:${ACTIONS[right]}`],
      plainRealm: settings.insecure === true,
    };
    const loggedIn = authorized(this.#gate, identity, this.#realm);
    return new Repository({
      name,
      base,
      transport: within(base.origin, this.#foreign)(loggedIn(this.#send)),
      foreign: this.#foreign,
      retry: REQUEST_RETRIES,
    });
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
  close(): Promise<void>;
}

export interface RegistriesOptions
  extends Pick<RegistryOptions, 'loginFor' | 'onLogin' | 'onWait'> {
  readonly settingsFor: (name: RepositoryName) => RegistrySettings;
}

export function openRegistries(options: RegistriesOptions): Registries {
  const { settingsFor, ...shared } = options;
  const elsewhere = openTransport({});
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
    close: async () => {
      await Promise.all([elsewhere.close(), ...[...registries.values()].map((one) => one.close())]);
    },
  };
}
