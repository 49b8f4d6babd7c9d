import { digestOf, isDigest } from '../../src/oci/digest.ts';
import { linksOf } from '../../src/oci/manifest.ts';
import { ACCEPTED_MANIFESTS } from '../../src/oci/media-types.ts';
import { send, type Target } from './registry-client.ts';

/**
 * Walks all that a tag or digest names and hashes every byte again. Foreign layers may be missing.
 *
 * @returns what is wrong, one line each: an empty list is a perfect copy
 */
export async function verifyImage(
  target: Target,
  repository: string,
  tagOrDigest: string,
  digest?: string,
): Promise<readonly string[]> {
  const faults: string[] = [];
  const seen = new Set<string>();

  const walk = async (reference: string, expected: string | undefined): Promise<void> => {
    const manifest = await fetchManifest(target, repository, reference);
    if (!manifest) return void faults.push(`${repository}: the manifest ${reference} is missing`);
    const { bytes, mediaType } = manifest;
    const found = digestOf(bytes);
    if (expected !== undefined && found !== expected)
      faults.push(`${repository}: ${reference} is ${found} instead of ${expected}`);
    if (seen.has(found)) return;
    seen.add(found);
    const descriptor = { mediaType, digest: found, size: bytes.length };
    const links = linksOf({ descriptor, bytes });
    for (const child of links.manifests) await walk(child.digest, child.digest);
    for (const { digest: name, size, urls } of links.blobs) {
      if (seen.has(name)) continue;
      seen.add(name);
      const path = `/v2/${repository}/blobs/${name}`;
      const { status, body } = await send(target, { path });
      if (status !== 200 && urls) continue;
      if (status !== 200) faults.push(`${repository}: the blob ${name} is missing (${status})`);
      else if (body.length !== size || digestOf(body) !== name)
        faults.push(`${repository}: the blob ${name} holds other bytes`);
    }
  };

  await walk(tagOrDigest, digest ?? (isDigest(tagOrDigest) ? tagOrDigest : undefined));
  return faults;
}

/** A manifest as the registry has it; undefined where there is none. */
export async function fetchManifest(
  target: Target,
  repository: string,
  reference: string,
): Promise<{ readonly bytes: Uint8Array; readonly mediaType: string } | undefined> {
  const path = `/v2/${repository}/manifests/${reference}`;
  const response = await send(target, { path, headers: { accept: ACCEPTED_MANIFESTS } });
  if (response.status !== 200) return undefined;
  return { bytes: response.body, mediaType: response.headers['content-type'] ?? '' };
}
