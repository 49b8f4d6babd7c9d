import { digestOf } from '../../src/oci/digest.ts';
import { ACCEPTED_MANIFESTS } from '../../src/oci/media-types.ts';
import { type Client, openClient } from './client.ts';
import { blobsOf, type Recipe } from './corpus.ts';
import { manifestsOf } from './image.ts';
import { forEachOf } from './several.ts';

const IMAGES_AT_A_TIME = 8;

/**
 * Looks whether a registry holds exactly these images: every tag and every manifest to the byte, every blob with its
 * size. A registry hashes a blob before it takes it, so a blob that is there is not read again.
 *
 * @returns what is wrong, one line for each image at most: an empty list is a perfect copy
 */
export async function verify(url: string, recipes: readonly Recipe[]): Promise<readonly string[]> {
  const client = openClient(url);
  const faults: string[] = [];
  const looked = new Map<string, Promise<string | undefined>>();
  const once = (path: string, look: () => Promise<string | undefined>) => {
    const found = looked.get(path) ?? look();
    looked.set(path, found);
    return found;
  };
  try {
    await forEachOf(recipes, IMAGES_AT_A_TIME, async (recipe) => {
      const fault = await faultOf(recipe, client, once);
      if (fault) faults.push(`${recipe.repository}:${recipe.tag}: ${fault}`);
    });
  } finally {
    client.close();
  }
  return faults.sort();
}

type Look = () => Promise<string | undefined>;

async function faultOf(
  { repository, tag, root }: Recipe,
  client: Client,
  once: (path: string, look: Look) => Promise<string | undefined>,
): Promise<string | undefined> {
  const manifest = (reference: string, expected: string) => {
    const path = `/v2/${repository}/manifests/${reference}`;
    return once(path, async () => {
      const { status, body } = await client.ask(path, { headers: { accept: ACCEPTED_MANIFESTS } });
      if (status !== 200) return `the manifest ${reference} is missing (${status})`;
      const found = digestOf(body);
      return found === expected ? undefined : `${reference} is ${found} instead of ${expected}`;
    });
  };
  const fault = await manifest(tag, root.descriptor.digest);
  if (fault) return fault;
  for (const { descriptor } of manifestsOf(root)) {
    const wrong = await manifest(descriptor.digest, descriptor.digest);
    if (wrong) return wrong;
  }
  for (const { digest, size } of blobsOf(root)) {
    const path = `/v2/${repository}/blobs/${digest}`;
    const wrong = await once(path, async () => {
      const { status, headers } = await client.ask(path, { method: 'HEAD' });
      if (status !== 200) return `the blob ${digest} is missing (${status})`;
      const length = headers['content-length'];
      return length === `${size}` ? undefined : `the blob ${digest} has ${length} bytes`;
    });
    if (wrong) return wrong;
  }
  return undefined;
}
