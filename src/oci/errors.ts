/** A text that is no reference by docker's grammar; `text` is what was given. */
export class InvalidReferenceError extends Error {
  override readonly name = 'InvalidReferenceError';
  readonly text: string;

  constructor(text: string, reason: string) {
    super(`"${text}" is not an image reference: ${reason}`);
    this.text = text;
  }
}

/** A text that is no digest that we can check. */
export class InvalidDigestError extends Error {
  override readonly name = 'InvalidDigestError';

  constructor(text: string) {
    super(
      `"${text}" is not a digest: expected sha256: or sha512: and lower-case hexadecimal digits`,
    );
  }
}

/**
 * What the two ends of a copy throw. The engine asks such an error what it means and never what it is:
 * it knows nothing of registries.
 */
export abstract class StoreError extends Error {
  /** a short name for reports: upper case, stable */
  abstract readonly code: string;

  /** the same work may go well a moment later */
  get transient(): boolean {
    return false;
  }

  /** the bytes are not what they should be: worth one more try, since a source that is damaged stays so */
  get damaged(): boolean {
    return false;
  }

  /** the end does not let us look; a write may still be allowed */
  get forbidden(): boolean {
    return false;
  }

  /** what was asked for is not there */
  get missing(): boolean {
    return false;
  }

  /** a manifest was refused because the end lacks something that it points at */
  get incomplete(): boolean {
    return false;
  }
}

/** The store's own error in a chain of causes. */
export function storeErrorIn(error: unknown): StoreError | undefined {
  for (let current = error; current instanceof Error; current = current.cause)
    if (current instanceof StoreError) return current;
  return undefined;
}

export function isTransient(error: unknown): boolean {
  return storeErrorIn(error)?.transient === true;
}

/** Whether work that failed for the `attempt`th time (from 1) is worth another try at all. */
export function isWorthRetrying(error: unknown, attempt: number): boolean {
  const known = storeErrorIn(error);
  return known?.transient === true && !(known.damaged && attempt > 1);
}

/** The bytes that arrived are not those that the digest names; they may have been broken on the way. */
export class DigestMismatchError extends StoreError {
  override readonly name = 'DigestMismatchError';
  readonly code = 'DIGEST_MISMATCH';

  constructor(expected: string, found: string) {
    super(`the bytes received for ${expected} are ${found}`);
  }

  override get transient(): boolean {
    return true;
  }

  override get damaged(): boolean {
    return true;
  }
}

/** A manifest that cannot be read: not JSON, wrong shapes, or nested too deeply. */
export class InvalidManifestError extends StoreError {
  override readonly name = 'InvalidManifestError';
  readonly code = 'MANIFEST_INVALID';
}
