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

/** The bytes that arrived are not those that the digest names. */
export class DigestMismatchError extends Error {
  override readonly name = 'DigestMismatchError';

  constructor(expected: string, found: string) {
    super(`the bytes received for ${expected} are ${found}`);
  }
}

/** A manifest that cannot be read: not JSON, wrong shapes, or nested too deeply. */
export class InvalidManifestError extends Error {
  override readonly name = 'InvalidManifestError';
}
