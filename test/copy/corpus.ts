import type { Task } from '../../src/copy/task.ts';
import type { Descriptor } from '../../src/oci/descriptor.ts';
import { type Digest, digestOf } from '../../src/oci/digest.ts';
import type { Manifest } from '../../src/oci/manifest.ts';
import { OCI_INDEX, OCI_MANIFEST } from '../../src/oci/media-types.ts';
import { formatName, parseReference } from '../../src/oci/reference.ts';
import type { Memory } from '../support/memory.ts';

/** An image before it is anywhere: a manifest and all that stands below it. */
export interface Content {
  readonly manifest: Manifest;
  readonly digest: Digest;
  readonly children: readonly Content[];
  readonly blobs: readonly Part[];
}

/** A blob with its bytes; a foreign one has addresses. */
export interface Part extends Descriptor {
  readonly bytes: Uint8Array;
}

/** A layer that holds its own name. */
export function layer(name: string, urls?: readonly string[]): Part {
  const bytes = Buffer.from(`layer ${name}`);
  const mediaType = 'application/vnd.oci.image.layer.v1.tar+gzip';
  return {
    ...{ mediaType, digest: digestOf(bytes), size: bytes.length, bytes },
    ...(urls ? { urls } : {}),
  };
}

/** An image of these layers; images of the same layers differ by `label`. */
export function image(layers: readonly (string | Part)[], label = ''): Content {
  const parts = layers.map((each) => (typeof each === 'string' ? layer(each) : each));
  const bytes = Buffer.from(JSON.stringify({ label, layers: parts.map(({ digest }) => digest) }));
  const mediaType = 'application/vnd.oci.image.config.v1+json';
  const config: Part = { mediaType, digest: digestOf(bytes), size: bytes.length, bytes };
  const blobs = [config, ...parts];
  const manifest = manifestOf(OCI_MANIFEST, {
    config: describe(config),
    layers: parts.map(describe),
  });
  return { manifest, digest: manifest.descriptor.digest, children: [], blobs };
}

export function index(children: readonly Content[], label = ''): Content {
  const manifest = manifestOf(OCI_INDEX, {
    manifests: children.map((child) => child.manifest.descriptor),
    annotations: { label },
  });
  return { manifest, digest: manifest.descriptor.digest, children, blobs: [] };
}

/** Puts an image into a repository as if it had always been there: no call is counted. */
export function seed(memory: Memory, reference: string, content: Content): void {
  const { tag, ...name } = parseReference(reference);
  const { blobs, manifests, tags } = memory.repository(formatName(name));
  const visit = ({ manifest, digest, children, blobs: parts }: Content): void => {
    manifests.set(digest, manifest);
    for (const { digest: part, bytes, urls } of parts) if (!urls) blobs.set(part, bytes);
    children.forEach(visit);
  };
  visit(content);
  if (tag !== undefined) tags.set(tag, content.digest);
}

export function task(source: string, destination: string): Task {
  return { source: parseReference(source), destination: parseReference(destination) };
}

/** The digests of a content's blobs, those of its children too, each once. */
export function digestsOf({ blobs, children }: Content): readonly Digest[] {
  return [...new Set([...blobs.map(({ digest }) => digest), ...children.flatMap(digestsOf)])];
}

function manifestOf(mediaType: string, fields: object): Manifest {
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, ...fields }));
  return { bytes, descriptor: { mediaType, digest: digestOf(bytes), size: bytes.length } };
}

function describe({ bytes: _, ...descriptor }: Part): Descriptor {
  return descriptor;
}
