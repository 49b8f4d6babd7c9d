import type { Cluster } from '../../cluster/cluster.ts';
import { type ConnectOptions, connect } from '../../cluster/connect.ts';
import { readManifests } from '../../cluster/manifests.ts';
import { scan } from '../../cluster/scan.ts';
import type { Layout } from '../../copy/layout.ts';
import type { RepositoryName } from '../../oci/reference.ts';
import { readTextIfThere, replaceFile, STANDARD_STREAM } from '../../text/file.ts';
import { printable } from '../../text/printable.ts';
import { EXIT, type Exit } from '../base.ts';
import { UsageError } from '../errors.ts';
import { readInventory, type StrangeImage } from './inventory.ts';
import { type ExistingMap, type ImageMap, mapTo, parseTarget } from './map.ts';
import { type Form, formatInventory, inventoryReport } from './report.ts';

export interface SurveyOptions {
  readonly target: string | undefined;
  readonly namespaces: readonly string[] | undefined;
  readonly selector: string | undefined;
  readonly filenames: readonly string[] | undefined;
  readonly images: string;
  readonly layout: Layout;
  readonly onExisting: 'refuse' | 'merge' | 'replace';
  readonly form: Form | undefined;
  readonly connection: ConnectOptions;
  readonly signal: AbortSignal;
}

/** The whole of `scan`: looks, maps, writes images.json, shows the inventory. */
export async function survey(options: SurveyOptions): Promise<Exit> {
  const { images: path, layout, form = 'table', signal } = options;
  const target = targetOf(options);
  const existing = target ? await existingMap(options) : undefined;
  const { images, unreadable } = await look(options);
  signal.throwIfAborted();
  const { images: scanned, strange } = readInventory({ images, unreadable });
  const references = scanned.map(({ reference }) => reference);
  const map = target ? mapTo(target, layout, references, existing) : undefined;
  const writes = map !== undefined && (scanned.length > 0 || path === STANDARD_STREAM);
  if (writes) await writeMap(path, map);
  const report = inventoryReport(scanned, map?.destinations ?? new Map(), unreadable);
  // A map on standard output stands there alone, so that it can be piped on.
  const stream = map && path === STANDARD_STREAM ? process.stderr : process.stdout;
  stream.write(formatInventory(report, form));
  for (const line of remarks(map, strange)) process.stderr.write(`${printable(line, 1_000)}\n`);
  for (const { resource, namespace, reason } of unreadable)
    process.stderr.write(
      `not read: ${resource}${namespace ? ` in ${namespace}` : ''}: ${printable(reason)}\n`,
    );
  if (writes) process.stderr.write(`${summary(path, map, options)}\n`);
  else if (scanned.length === 0)
    process.stderr.write('no images were found, and nothing was written\n');
  return unreadable.length + strange.length > 0 ? EXIT.incomplete : EXIT.done;
}

function targetOf({ target, form }: SurveyOptions): RepositoryName | undefined {
  if (target !== undefined) return parseTarget(target);
  if (form !== undefined) return undefined;
  throw new UsageError(
    '--repo is missing: the registry and namespace that images are mapped to',
    'write -t REGISTRY/NAMESPACE, or only look with -o table, wide, json, yaml or name',
  );
}

/** Looked at before the cluster is: nobody should wait for a scan that cannot be written. */
async function existingMap({
  images,
  onExisting,
}: SurveyOptions): Promise<ExistingMap | undefined> {
  if (images === STANDARD_STREAM || onExisting === 'replace') return undefined;
  const text = await readTextIfThere(images);
  if (text === undefined || text.trim() === '') return undefined;
  if (onExisting === 'merge') return { text, file: images };
  throw new UsageError(
    `${images} is there already`,
    '--merge adds what is new to it, --force replaces it, --images writes another file',
  );
}

async function look({ filenames, namespaces, selector, connection, signal }: SurveyOptions) {
  const cluster: Cluster = filenames
    ? await readManifests(filenames)
    : await connect({ ...connection, signal });
  try {
    return await scan(cluster, { namespaces, selector, signal });
  } finally {
    await cluster.close();
  }
}

async function writeMap(path: string, { text }: ImageMap): Promise<void> {
  if (path === STANDARD_STREAM) process.stdout.write(text);
  else await replaceFile(path, text, 0o644);
}

function remarks(map: ImageMap | undefined, strange: readonly StrangeImage[]): readonly string[] {
  const collisions = map?.collisions ?? [];
  return [
    ...collisions.map(
      (names) =>
        `collision: ${names.join(' and ')} would meet at one destination; each got a path of its own`,
    ),
    ...strange.map(({ use, reason }) => {
      const [user] = use.usedBy;
      const where = user ? `${user.namespace}/${user.kind}/${user.name}` : 'the cluster';
      return `not an image: ${where}: ${printable(reason)}`;
    }),
  ];
}

function summary(
  path: string,
  { added, destinations }: ImageMap,
  { onExisting }: SurveyOptions,
): string {
  const where = path === STANDARD_STREAM ? 'standard output' : path;
  const verb = onExisting === 'merge' ? 'added to' : 'written to';
  return `${added} ${added === 1 ? 'image' : 'images'} ${verb} ${where}${destinations.size === 0 ? '' : '; "copy" migrates them'}`;
}
