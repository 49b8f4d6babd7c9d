import { type Client, openClient } from './client.ts';
import type { Recipe } from './corpus.ts';
import type { Tree } from './image.ts';
import type { Blob } from './layer.ts';
import { forEachOf } from './several.ts';

const IMAGES_AT_A_TIME = 4;

/**
 * Fills a registry with images, each blob sent once and mounted afterwards.
 *
 * @throws {Error} the registry refused something; the message says what
 */
export async function fill(
  url: string,
  recipes: readonly Recipe[],
  signal?: AbortSignal,
): Promise<void> {
  const client = openClient(url);
  const placed = new Map<string, Promise<void>>();
  const home = new Map<string, string>();
  const place = (repository: string, blob: Blob) => {
    const key = `${repository}@${blob.digest}`;
    const first = home.get(blob.digest);
    if (first === undefined) home.set(blob.digest, repository);
    // A mount has to wait until the blob is where it is mounted from.
    const before = first === undefined ? undefined : placed.get(`${first}@${blob.digest}`);
    const placing =
      placed.get(key) ??
      Promise.resolve(before).then(() => pushBlob(client, repository, blob, first));
    placed.set(key, placing);
    return placing;
  };
  const pushTree = async (repository: string, tree: Tree, tag: string) => {
    signal?.throwIfAborted();
    for (const child of tree.children) await pushTree(repository, child, child.descriptor.digest);
    for (const blob of tree.blobs) await place(repository, blob);
    await pushManifest(client, `/v2/${repository}/manifests/${tag}`, tree);
  };
  try {
    await forEachOf(recipes, IMAGES_AT_A_TIME, ({ repository, root, tag }) =>
      pushTree(repository, root, tag),
    );
  } finally {
    client.close();
  }
}

async function pushBlob(
  client: Client,
  repository: string,
  blob: Blob,
  from: string | undefined,
): Promise<void> {
  const query = from === undefined ? '' : `?mount=${blob.digest}&from=${from}`;
  const opened = await client.ask(`/v2/${repository}/blobs/uploads/${query}`, { method: 'POST' });
  if (opened.status === 201) return;
  const session = opened.headers.location;
  if (opened.status !== 202 || !session)
    throw new Error(`${repository}: no upload was opened (${opened.status}) ${opened.body}`);
  const address = new URL(session);
  address.searchParams.set('digest', blob.digest);
  const put = await client.ask(address.href, {
    method: 'PUT',
    headers: { 'content-type': 'application/octet-stream' },
    body: blob,
  });
  if (put.status !== 201)
    throw new Error(`${repository}: ${blob.digest} was refused (${put.status}) ${put.body}`);
}

async function pushManifest(client: Client, path: string, tree: Tree): Promise<void> {
  const { bytes, descriptor } = tree;
  const { status, body } = await client.ask(path, {
    method: 'PUT',
    headers: { 'content-type': descriptor.mediaType },
    body: { size: bytes.length, bytes: () => [bytes] },
  });
  if (status !== 201) throw new Error(`${path} was refused (${status}) ${body}`);
}
