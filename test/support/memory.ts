import type { Ends } from '../../src/copy/ends.ts';
import type { Descriptor } from '../../src/oci/descriptor.ts';
import { type Bytes, digestOf, isDigest } from '../../src/oci/digest.ts';
import { StoreError } from '../../src/oci/errors.ts';
import { linksOf, type Manifest } from '../../src/oci/manifest.ts';
import { formatName, type RepositoryName } from '../../src/oci/reference.ts';
import type {
  Arrival,
  Destination,
  OpenBlob,
  PutBlobOptions,
  Source,
} from '../../src/oci/store.ts';

export type Operation =
  | 'resolve'
  | 'fetchManifest'
  | 'openBlob'
  | 'hasBlob'
  | 'statBlob'
  | 'putBlob'
  | 'mountBlob'
  | 'putManifest'
  | 'listTags';

/** One thing that was asked of a store. */
export interface Call {
  readonly operation: Operation;
  /** registry and repository */
  readonly repository: string;
  /** a tag or a digest */
  readonly subject: string;
}

/** What comes before a call is answered: it may wait, and what it throws is what the call throws. */
export type Interference = (call: Call) => unknown;

/** Registries in a Map that keep to the rules of real ones: no manifest without its parts. */
export interface Memory {
  readonly ends: Ends;
  readonly calls: readonly Call[];
  /** `uploaded REPOSITORY DIGEST` or `mounted …`, as it happened */
  readonly arrivals: readonly string[];
  /** whether repositories of one registry lend each other blobs; default true */
  mounts: boolean;
  /** the most blobs that were asked for or sent at one time, at all destinations */
  maximumBlobs(): number;
  interfere(interference: Interference): void;
  repository(name: string): MemoryRepository;
  count(operation: Operation, repository?: string): number;
}

export interface MemoryRepository extends Source, Destination {
  readonly blobs: Map<string, Uint8Array>;
  readonly manifests: Map<string, Manifest>;
  readonly tags: Map<string, string>;
}

type Flag = 'transient' | 'forbidden' | 'missing' | 'incomplete';

/** What a store in memory throws. */
export class MemoryError extends StoreError {
  override readonly name = 'MemoryError';
  readonly code: string;
  readonly #flag: Flag | undefined;

  constructor(code: string, flag?: Flag) {
    super(`refused with ${code}`);
    this.code = code;
    this.#flag = flag;
  }

  override get transient(): boolean {
    return this.#flag === 'transient';
  }

  override get forbidden(): boolean {
    return this.#flag === 'forbidden';
  }

  override get missing(): boolean {
    return this.#flag === 'missing';
  }

  override get incomplete(): boolean {
    return this.#flag === 'incomplete';
  }
}

export function openMemory(): Memory {
  const repositories = new Map<string, MemoryRepository>();
  const interferences: Interference[] = [];
  const calls: Call[] = [];
  const arrivals: string[] = [];
  let active = 0;
  let maximum = 0;

  const asked: Asked = async (call, signal, answer) => {
    calls.push(call);
    const measured = call.operation === 'hasBlob' || call.operation === 'putBlob';
    if (measured) active += 1;
    maximum = Math.max(maximum, active);
    try {
      signal?.throwIfAborted();
      for (const interference of interferences) await interference(call);
      await turn();
      signal?.throwIfAborted();
      return await answer();
    } finally {
      if (measured) active -= 1;
    }
  };

  const repository = (name: string): MemoryRepository => {
    const known = repositories.get(name);
    if (known) return known;
    const made = repositoryOf(name, asked, {
      lend: (from) => (memory.mounts ? repositories.get(from) : undefined),
      arrived: (how, digest) => arrivals.push(`${how} ${name} ${digest}`),
    });
    repositories.set(name, made);
    return made;
  };

  const end = async (name: RepositoryName) => repository(formatName(name));
  const memory: Memory = {
    ends: { source: end, destination: end },
    mounts: true,
    calls,
    arrivals,
    maximumBlobs: () => maximum,
    interfere: (interference) => void interferences.push(interference),
    repository,
    count: (operation, name) =>
      calls.filter(
        (call) => call.operation === operation && (name === undefined || call.repository === name),
      ).length,
  };
  return memory;
}

type Asked = <Result>(
  call: Call,
  signal: AbortSignal | undefined,
  answer: () => Result | Promise<Result>,
) => Promise<Result>;

interface Neighborhood {
  lend(repository: string): MemoryRepository | undefined;
  arrived(how: Arrival, digest: string): void;
}

function repositoryOf(name: string, asked: Asked, neighborhood: Neighborhood): MemoryRepository {
  const blobs = new Map<string, Uint8Array>();
  const manifests = new Map<string, Manifest>();
  const tags = new Map<string, string>();
  const find = (version: string) =>
    manifests.get(isDigest(version) ? version : (tags.get(version) ?? ''));

  const putBlob = async (
    blob: Descriptor,
    open: OpenBlob,
    { mountFrom, signal }: PutBlobOptions,
  ): Promise<Arrival> => {
    const lent = neighborhood.lend(`${registryOf(name)}/${mountFrom}`)?.blobs.get(blob.digest);
    const bytes = lent ?? (await gathered(await open(0, signal ?? undefined), signal ?? undefined));
    if (digestOf(bytes) !== blob.digest) throw new MemoryError('DIGEST_INVALID');
    blobs.set(blob.digest, bytes);
    const how = lent ? 'mounted' : 'uploaded';
    neighborhood.arrived(how, blob.digest);
    return how;
  };

  const putManifest = (manifest: Manifest, tag: string | undefined): void => {
    const links = linksOf(manifest);
    const missing =
      links.blobs.some(({ digest, urls }) => !urls && !blobs.has(digest)) ||
      links.manifests.some(({ digest }) => !manifests.has(digest));
    if (missing) throw new MemoryError('MANIFEST_BLOB_UNKNOWN', 'incomplete');
    manifests.set(manifest.descriptor.digest, manifest);
    if (tag !== undefined) tags.set(tag, manifest.descriptor.digest);
  };

  const call = (operation: Operation, subject: string): Call => ({
    operation,
    repository: name,
    subject,
  });
  return {
    blobs,
    manifests,
    tags,
    resolve: (version, signal) =>
      asked(call('resolve', version), signal, () => find(version)?.descriptor),
    fetchManifest: (version, signal) =>
      asked(call('fetchManifest', version), signal, () => found(find(version))),
    openBlob: ({ digest }, offset, signal) =>
      asked(call('openBlob', digest), signal, () =>
        streamed(found(blobs.get(digest)).subarray(offset)),
      ),
    hasBlob: ({ digest }, signal) =>
      asked(call('hasBlob', digest), signal, () => blobs.has(digest)),
    statBlob: ({ digest }, signal) =>
      asked(call('statBlob', digest), signal, () => blobs.get(digest)?.length),
    putBlob: (blob, open, options) =>
      asked(call('putBlob', blob.digest), options.signal, () => putBlob(blob, open, options)),
    mountBlob: ({ digest }, from, signal) =>
      asked(call('mountBlob', digest), signal, () => {
        const lent = neighborhood.lend(`${registryOf(name)}/${from}`)?.blobs.get(digest);
        if (lent) blobs.set(digest, lent);
        return lent !== undefined;
      }),
    listTags: (signal) => listed(() => asked(call('listTags', ''), signal, () => [...tags.keys()])),
    putManifest: (manifest, tag, signal) =>
      asked(call('putManifest', tag ?? manifest.descriptor.digest), signal, () =>
        putManifest(manifest, tag),
      ),
  };
}

function registryOf(name: string): string {
  return name.slice(0, name.indexOf('/'));
}

async function* listed(ask: () => Promise<readonly string[]>): AsyncIterable<string> {
  yield* await ask();
}

function found<Thing>(thing: Thing | undefined): Thing {
  if (thing === undefined) throw new MemoryError('NOT_FOUND', 'missing');
  return thing;
}

async function* streamed(bytes: Uint8Array): Bytes {
  const half = Math.ceil(bytes.length / 2);
  for (const part of [bytes.subarray(0, half), bytes.subarray(half)]) {
    await turn();
    if (part.length > 0) yield part;
  }
}

async function gathered(bytes: Bytes, signal: AbortSignal | undefined): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of bytes) {
    signal?.throwIfAborted();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Lets everything else that can go on go on first. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
