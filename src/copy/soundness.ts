import type { Descriptor } from '../oci/descriptor.ts';
import type { Bytes, Digest } from '../oci/digest.ts';
import { InvalidManifestError, storeErrorIn } from '../oci/errors.ts';
import { linksOf, MAXIMUM_DEPTH, type Manifest } from '../oci/manifest.ts';
import { verified } from '../oci/proof.ts';
import { formatName, type RepositoryName } from '../oci/reference.ts';
import type { Destination, Source } from '../oci/store.ts';
import { printable } from '../text/printable.ts';
import type { Limit } from './limit.ts';
import { Once } from './once.ts';
import { MAXIMUM_PARTS } from './tree.ts';

/** A destination that is read: what a copy left there is looked at again. */
export type Store = Source & Pick<Destination, 'statBlob'>;

export interface SoundnessOptions {
  readonly looks: Limit;
  /** how many blobs are read at a time */
  readonly reads: Limit;
  /** whether the bytes of blobs are read and hashed */
  readonly deep: boolean;
  readonly signal: AbortSignal;
}

/** What is wrong below a manifest, one line for each part, and what is odd but right. */
export interface Findings {
  readonly faults: readonly string[];
  readonly notes: readonly string[];
}

export interface Soundness {
  /**
   * Looks at all that a manifest needs in its repository.
   *
   * @throws {StoreError} something could not be found out
   */
  check(digest: Digest, name: RepositoryName, store: Store): Promise<Findings>;
  /** What was done so far: blobs that were asked for, each once for each repository, and bytes that were read. */
  done(): { readonly blobs: number; readonly bytes: number };
}

const SOUND: Findings = { faults: [], notes: [] };

/** A place where parts are looked for. */
interface Place {
  readonly name: RepositoryName;
  readonly store: Store;
}

/**
 * Checks manifests and blobs for one run: each is asked for once in its repository, and its bytes are read once at
 * its registry. Nothing that was read is kept.
 */
export function soundness({ looks, reads, deep, signal }: SoundnessOptions): Soundness {
  /** by repository and digest */
  const manifests = new Once<Findings>();
  const blobs = new Once<Findings>();
  /** by registry and digest */
  const contents = new Once<Findings>();
  const done = { blobs: 0, bytes: 0 };

  const checkManifest = (wanted: Wanted, place: Place, depth: number): Promise<Findings> =>
    manifests.run(`${formatName(place.name)}@${wanted.digest}`, async () => {
      if (depth > MAXIMUM_DEPTH)
        throw new InvalidManifestError(`its indexes are nested more than ${MAXIMUM_DEPTH} deep`);
      const { digest, size } = wanted;
      const manifest = await looks(() => fetched(digest, place.store, signal));
      if (typeof manifest === 'string') return fault(`manifest ${digest} ${manifest}`);
      const found = manifest.descriptor.size;
      const sizes =
        size === undefined || size === found ? SOUND : fault(sized('manifest', wanted, found));
      const links = linksOf(manifest);
      if (links.manifests.length > MAXIMUM_PARTS)
        return fault(`manifest ${digest} is an index of more than ${MAXIMUM_PARTS} manifests`);
      return all([
        sizes,
        ...(await Promise.all([
          ...links.manifests.map((child) => checkManifest(child, place, depth + 1)),
          ...links.blobs.map((blob) => checkBlob(blob, place)),
        ])),
      ]);
    });

  const checkBlob = (blob: Descriptor, place: Place): Promise<Findings> =>
    blobs.run(`${formatName(place.name)}@${blob.digest}`, async () => {
      const size = await looks(() => place.store.statBlob(blob, signal));
      done.blobs += 1;
      if (size === undefined) return blob.urls ? foreign(blob) : fault(missing(blob));
      if (size !== blob.size) return fault(sized('blob', blob, size));
      if (!deep) return SOUND;
      return contents.run(`${place.name.registry}@${blob.digest}`, () =>
        reads(() => checkContent(blob, place)),
      );
    });

  const checkContent = async (blob: Descriptor, { store }: Place): Promise<Findings> => {
    try {
      const bytes = counted(await store.openBlob(blob, 0, signal));
      for await (const _ of verified(bytes, blob.digest, blob.size));
      return SOUND;
    } catch (error) {
      const known = storeErrorIn(error);
      if (known?.missing) return fault(missing(blob));
      if (known?.damaged) return fault(`blob ${blob.digest} holds other bytes: ${known.message}`);
      throw error;
    }
  };

  async function* counted(bytes: Bytes): Bytes {
    for await (const chunk of bytes) {
      done.bytes += chunk.byteLength;
      yield chunk;
    }
  }

  return {
    check: (digest, name, store) => checkManifest({ digest }, { name, store }, 0),
    done: () => ({ ...done }),
  };
}

type Wanted = Pick<Descriptor, 'digest'> & Partial<Pick<Descriptor, 'size'>>;

/** A manifest, or what is wrong with it. Trouble that says nothing of the manifest is thrown. */
async function fetched(
  digest: Digest,
  store: Store,
  signal: AbortSignal,
): Promise<Manifest | string> {
  try {
    return await store.fetchManifest(digest, signal);
  } catch (error) {
    const known = storeErrorIn(error);
    if (known?.missing) return 'is missing';
    if (known?.damaged) return `holds other bytes: ${known.message}`;
    if (known?.forbidden) return `cannot be fetched: ${known.message}`;
    throw error;
  }
}

function missing({ digest }: Descriptor): string {
  return `blob ${digest} is missing`;
}

function sized(what: 'manifest' | 'blob', { digest, size }: Wanted, found: number): string {
  return `${what} ${digest} has ${found} bytes instead of ${size}`;
}

function foreign({ digest, urls = [] }: Descriptor): Findings {
  const note = `foreign layer ${digest} is not at the destination: it is an address in the manifest, ${printable(urls.join(' '))}`;
  return { faults: [], notes: [note] };
}

function fault(text: string): Findings {
  return { faults: [text], notes: [] };
}

function all(findings: readonly Findings[]): Findings {
  const faults = new Set(findings.flatMap((one) => one.faults));
  const notes = new Set(findings.flatMap((one) => one.notes));
  return faults.size + notes.size === 0 ? SOUND : { faults: [...faults], notes: [...notes] };
}
