import { type Digest, isDigest } from '../oci/digest.ts';

/**
 * The digest in a pod's status that the image can be pulled by: of an index or of one platform's manifest,
 * as the runtime chose. Undefined for an image that never came from a registry.
 *
 * containerd and CRI-O write `repository@sha256:…`, cri-dockerd puts `docker-pullable://` before it. A bare
 * `sha256:…` is the digest of a configuration, which no registry can be asked for.
 */
export function digestOfImageId(imageId: string): Digest | undefined {
  const at = imageId.lastIndexOf('@');
  const digest = at < 0 ? '' : imageId.slice(at + 1);
  return isDigest(digest) ? digest : undefined;
}
