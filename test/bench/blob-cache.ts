import { rename, rm } from 'node:fs/promises';

// skopeo remembers where blobs are. For root that memory is the machine's, whatever HOME says.
const SYSTEM = '/var/lib/containers/cache';

/** Makes skopeo forget, as before its first run; what this machine's skopeo knew stays aside until `restore`. */
export interface BlobCache {
  forget(): Promise<void>;
  restore(): Promise<void>;
}

export async function setBlobCacheAside(): Promise<BlobCache> {
  if (process.getuid?.() !== 0) return { forget: async () => {}, restore: async () => {} };
  const aside = `${SYSTEM}.aside-${process.pid}`;
  const isThere = await rename(SYSTEM, aside).then(
    () => true,
    () => false,
  );
  const forget = () => rm(SYSTEM, { recursive: true, force: true });
  return {
    forget,
    restore: async () => {
      if (!isThere) return;
      await forget();
      await rename(aside, SYSTEM);
    },
  };
}
