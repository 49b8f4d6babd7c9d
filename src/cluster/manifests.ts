import type { Cluster, Unreadable } from './cluster.ts';
import { type Fields, fieldsAt, isFields, textAt } from './fields.ts';
import { imagesOf } from './images.ts';
import { type ManifestDocument, parseManifest } from './manifest-documents.ts';
import { type ManifestFileOptions, manifestFiles } from './manifest-files.ts';
import { builtInResource, customResource, type Resource, WORKLOADS } from './resources.ts';

// Where kubectl puts an object that names no namespace, unless the context says otherwise.
const DEFAULT_NAMESPACE = 'default';

/**
 * Reads manifests as if they were a cluster: files, folders, and `-` for standard input; YAML and JSON,
 * several documents in one file, and lists of objects. A broken document is `unreadable`, the others count.
 *
 * @throws {ClusterError} a path that cannot be read, or a folder without manifests
 */
export async function readManifests(
  paths: readonly string[],
  options: ManifestFileOptions = {},
): Promise<Cluster> {
  const files = await manifestFiles(paths, options);
  const documents = files.flatMap(({ name, text }) => parseManifest(text, name));
  const objects = documents.flatMap(({ value }) => objectsIn(value)).map(inNamespace);
  const namespaces = new Set(objects.flatMap(namespacesOf));
  const byResource = sorted(objects);
  return {
    name: 'the manifests',
    namespace: DEFAULT_NAMESPACE,
    unreadable: documents.flatMap(unreadableOf),
    resources: async () => [...byResource.keys()],
    hasNamespace: async (namespace) => namespaces.has(namespace),
    list: async function* (resource, { namespace } = {}) {
      for (const object of byResource.get(resource) ?? [])
        if (namespace === undefined || namespacesOf(object).includes(namespace)) yield object;
    },
    close: async () => undefined,
  };
}

/** Objects by what they are, built-in workloads first; other kinds only where something in them is a pod. */
function sorted(objects: readonly Fields[]): ReadonlyMap<Resource, readonly Fields[]> {
  const byResource = new Map(WORKLOADS.map((resource): [Resource, Fields[]] => [resource, []]));
  const custom = new Map<string, Resource>();
  for (const object of objects) {
    const apiVersion = textAt(object, 'apiVersion') ?? '';
    const kind = textAt(object, 'kind') ?? '';
    const key = `${apiVersion} ${kind}`;
    const resource =
      builtInResource(apiVersion, kind) ?? custom.get(key) ?? customResource(apiVersion, kind);
    if (!resource.podSpec && imagesOf(object, resource).length === 0) continue;
    custom.set(key, resource);
    const held = byResource.get(resource) ?? [];
    byResource.set(resource, held);
    held.push(object);
  }
  return byResource;
}

// Nobody puts lists into lists into lists.
const MAXIMUM_DEPTH = 32;

/** The objects of a document: itself, or what a List or a DeploymentList holds. */
function objectsIn(value: unknown, depth = 0): readonly Fields[] {
  // A list may hold itself, by an alias.
  if (!isFields(value) || depth > MAXIMUM_DEPTH) return [];
  const { items } = value;
  const kind = textAt(value, 'kind');
  if (!kind?.endsWith('List') || !Array.isArray(items)) return kind ? [value] : [];
  // What a server lists does not repeat its kind.
  const missing = { apiVersion: value['apiVersion'], kind: kind.slice(0, -'List'.length) };
  return items.flatMap((item) =>
    objectsIn(isFields(item) ? { ...missing, ...item } : item, depth + 1),
  );
}

function inNamespace(object: Fields): Fields {
  const metadata = fieldsAt(object, 'metadata');
  const namespace = textAt(metadata, 'namespace') ?? DEFAULT_NAMESPACE;
  return { ...object, metadata: { ...metadata, namespace } };
}

/** The namespace that an object is in, and the one that it is. */
function namespacesOf(object: Fields): readonly string[] {
  const { namespace, name } = fieldsAt(object, 'metadata');
  const names = object['kind'] === 'Namespace' ? [name] : [namespace];
  return names.filter((item) => typeof item === 'string');
}

function unreadableOf({ place, value, reason }: ManifestDocument): readonly Unreadable[] {
  if (reason !== undefined) return [{ resource: place, reason }];
  if (isFields(value) && textAt(value, 'kind') !== undefined) return [];
  return [{ resource: place, reason: 'this is no Kubernetes object: it has no kind' }];
}
