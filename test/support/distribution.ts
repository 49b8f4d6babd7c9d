import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Certificates } from './certificates.ts';
import { logLine } from './distribution-log.ts';
import { findProgram, type RunningProcess, startProcess } from './process.ts';
import type { RunningRegistry } from './registry.ts';
import { DEFAULT_USERS } from './registry-auth.ts';
import { send } from './registry-client.ts';
import { RequestLog, type RequestRecord } from './registry-log.ts';
import { PUSHER } from './registry-users.ts';
import type { Requirement } from './requirement.ts';
import { startTokenServer, type TokenOptions, type TokenServer } from './token-server.ts';

export interface DistributionOptions {
  /** a basic login knows one user, {@link PUSHER}; tokens also know {@link READER} */
  readonly auth?: 'none' | 'basic' | 'token';
  readonly anonymousPull?: boolean;
  readonly tokens?: TokenOptions;
  readonly tls?: Certificates;
  readonly relativeLocations?: boolean;
}

/** A registry of its own process. */
export interface Distribution extends RunningRegistry {
  readonly pid: number;
  /** where it keeps its files; removed by `close` */
  readonly folder: string;
}

const PROGRAM = findProgram('docker-registry');

export const DISTRIBUTION: Requirement = {
  name: 'docker-registry',
  found: PROGRAM !== undefined,
  remedy: "install Debian's docker-registry package (apt-get install docker-registry)",
};

/** Starts Debian's `docker-registry` on a free port of 127.0.0.1, with an empty store. */
export async function startDistribution(options: DistributionOptions = {}): Promise<Distribution> {
  if (!PROGRAM) throw new Error(`docker-registry is not here: ${DISTRIBUTION.remedy}`);
  const { auth = 'none', tls, anonymousPull = false } = options;
  const log = new RequestLog();
  const tokens =
    auth === 'token'
      ? await startTokenServer({ ...options.tokens, users: DEFAULT_USERS, anonymousPull, log })
      : undefined;
  const folder = await mkdtemp(join(tmpdir(), 'distribution-'));
  const clean = async () => {
    await tokens?.close();
    await rm(folder, { recursive: true, force: true });
  };
  const markers = new Map<string, () => void>();
  const configuration = await configure(folder, options, tokens);
  const program = await serve(PROGRAM, configuration, (record) => {
    log.add(record);
    markers.get(record.query.get('marker') ?? '')?.();
  }).catch(async (error) => {
    await clean();
    throw error;
  });
  const host = program.ready[1] ?? '';
  const registry: Distribution = {
    ...{ host, tokens, log, folder, pid: program.pid },
    url: `${tls ? 'https' : 'http'}://${host}`,
    login: auth === 'none' ? undefined : PUSHER,
    authority: tls?.authority,
    // The access log is written behind the answers: a request of our own comes after all others in it.
    settle: async () => {
      const marker = randomUUID();
      const seen = new Promise<void>((resolve) => void markers.set(marker, resolve));
      await send(registry, { path: `/v2/?marker=${marker}` });
      await seen;
      await tokens?.settle();
    },
    close: async () => {
      await program.end();
      await clean();
    },
  };
  return registry;
}

function serve(
  program: string,
  configuration: string,
  onRequest: (record: RequestRecord) => void,
): Promise<RunningProcess> {
  return startProcess({
    command: program,
    arguments: ['serve', configuration],
    environment: { OTEL_TRACES_EXPORTER: 'none' },
    ready: /listening on (127\.0\.0\.1:\d+)/,
    onLine: (line) => {
      const record = logLine(line);
      if (record) onRequest(record);
    },
  });
}

/** The configuration is JSON, which is YAML too. */
async function configure(
  folder: string,
  options: DistributionOptions,
  tokens: TokenServer | undefined,
): Promise<string> {
  const { tls } = options;
  const storage = join(folder, 'data');
  await mkdir(storage);
  const passwords = join(folder, 'htpasswd');
  await writeFile(passwords, `${PUSHER.username}:${PUSHER_BCRYPT}\n`);
  const trusted = join(folder, 'tokens.pem');
  if (tokens) await writeFile(trusted, tokens.certificate);
  const path = join(folder, 'configuration.yml');
  const configuration = {
    version: '0.1',
    log: { level: 'info', accesslog: { disabled: false } },
    storage: {
      filesystem: { rootdirectory: storage },
      delete: { enabled: true },
      maintenance: { uploadpurging: { enabled: false } },
    },
    http: {
      addr: '127.0.0.1:0',
      secret: 'test',
      relativeurls: options.relativeLocations ?? false,
      ...(tls ? { tls: { certificate: tls.files.certificate, key: tls.files.key } } : {}),
    },
    validation: { manifests: { urls: { allow: ['.*'] } } },
    auth: tokens
      ? {
          token: {
            ...{ realm: tokens.realm, service: tokens.service, issuer: tokens.issuer },
            rootcertbundle: trusted,
          },
        }
      : options.auth === 'basic'
        ? { htpasswd: { realm: 'test registry', path: passwords } }
        : {},
  };
  await writeFile(path, JSON.stringify(configuration));
  return path;
}

/** The password of {@link PUSHER} as distribution wants it: bcrypt, with the least work that bcrypt knows. */
const PUSHER_BCRYPT = '$2a$04$3AGbASL1wtEAUIJJQB8DTOIHHWrS9EGD.L9KntQRalPngsquIzQwm';
