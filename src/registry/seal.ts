import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

/** Where a secret stands: a ciphertext opens there and nowhere else. */
export interface SealPlace {
  /** the key of the entry, as written */
  readonly registry: string;
  readonly field: string;
}

export const SEAL_PREFIX = 'enc:v1:';
/** The key of the cipher, in bytes. */
export const SEAL_KEY_BYTES = 32;

const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** Encrypts a secret with AES-256-GCM, bound to its place: `enc:v1:` and nonce, ciphertext and tag in base64url. */
export function seal(secret: string, place: SealPlace, key: Uint8Array): string {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, nonce);
  cipher.setAAD(boundTo(place));
  const sealed = [nonce, cipher.update(secret, 'utf8'), cipher.final(), cipher.getAuthTag()];
  return SEAL_PREFIX + Buffer.concat(sealed).toString('base64url');
}

/** Opens what {@link seal} made; undefined where the key is another one, or the text or its place was changed. */
export function unseal(sealed: string, place: SealPlace, key: Uint8Array): string | undefined {
  const bytes = Buffer.from(sealed.slice(SEAL_PREFIX.length), 'base64url');
  if (bytes.length < NONCE_BYTES + TAG_BYTES) return undefined;
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, NONCE_BYTES));
  decipher.setAAD(boundTo(place));
  decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
  try {
    const secret = decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES));
    return Buffer.concat([secret, decipher.final()]).toString('utf8');
  } catch {
    return undefined;
  }
}

export function isSealed(value: string): boolean {
  return value.startsWith(SEAL_PREFIX);
}

function boundTo({ registry, field }: SealPlace): Buffer {
  return Buffer.from(JSON.stringify([registry, field]), 'utf8');
}
