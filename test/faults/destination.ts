import { digestOf } from '../../src/oci/digest.ts';
import type { PushedImage } from '../support/images-push.ts';
import { fetchManifest, verifyImage } from '../support/images-verify.ts';
import type { RunningRegistry } from '../support/registry.ts';
import { send } from '../support/registry-client.ts';

/** What a destination has of one image, asked without any proxy between. */
export interface Standing {
  /** the tag names nothing, something else than the image, or the image */
  readonly tag: 'absent' | 'other' | 'image';
  /** what is wrong with whatever the tag names, and tags that nobody asked for */
  readonly wrong: readonly string[];
}

export function standingOf(
  registry: RunningRegistry,
  namespace: string,
  images: readonly PushedImage[],
): Promise<readonly Standing[]> {
  return Promise.all(
    images.map(async ({ repository: name, tag = '', digest }): Promise<Standing> => {
      const repository = `${namespace}/${name}`;
      const wanted = images.flatMap((image) => (image.repository === name ? [image.tag] : []));
      const tags = await tagsOf(registry, repository);
      const strange = tags
        .filter((each) => !wanted.includes(each))
        .map((each) => `${repository}: nobody asked for the tag ${each}`);
      if (!tags.includes(tag)) return { tag: 'absent', wrong: strange };
      const manifest = await fetchManifest(registry, repository, tag);
      const is = manifest && digestOf(manifest.bytes) === digest ? 'image' : 'other';
      return { tag: is, wrong: [...strange, ...(await verifyImage(registry, repository, tag))] };
    }),
  );
}

async function tagsOf(registry: RunningRegistry, repository: string): Promise<readonly string[]> {
  const { status, body } = await send(registry, { path: `/v2/${repository}/tags/list` });
  if (status === 404) return [];
  if (status !== 200) throw new Error(`the tags of ${repository} were answered ${status}`);
  return (JSON.parse(`${body}`) as { tags: readonly string[] | null }).tags ?? [];
}
