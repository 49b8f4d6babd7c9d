import { formatReference, type Reference } from '../oci/reference.ts';
import type { Position } from '../text/position.ts';
import { withoutSecrets } from '../text/secrets.ts';

/** Where a rule stands and what it says. */
export interface RulePlace extends Position {
  readonly file: string;
  readonly source: string;
  /** as written; several destinations are joined */
  readonly destination: string;
}

/** A rule of images.json that cannot be used. */
export class InvalidRuleError extends Error {
  override readonly name = 'InvalidRuleError';
  readonly code = 'INVALID_RULE';
  readonly place: RulePlace;

  constructor(place: RulePlace, reason: string, options?: ErrorOptions) {
    super(withoutSecrets(reason), options);
    // People paste addresses with logins in them.
    const { source, destination } = place;
    const named = { source: withoutSecrets(source), destination: withoutSecrets(destination) };
    this.place = { ...place, ...named };
  }
}

export type Side = 'source' | 'destination';

/** Something went wrong at one side of a copy; the cause says what. */
export class CopyError extends Error {
  override readonly name = 'CopyError';
  readonly side: Side;
  readonly reference: Reference;

  constructor(side: Side, reference: Reference, cause: unknown) {
    super(
      `${side} ${formatReference(reference)}: ${cause instanceof Error ? cause.message : cause}`,
      { cause },
    );
    this.side = side;
    this.reference = reference;
  }
}

/** Runs work of one side; whatever it throws says which side it was. */
export async function at<Result>(
  side: Side,
  reference: Reference,
  work: () => Promise<Result>,
): Promise<Result> {
  try {
    return await work();
  } catch (cause) {
    throw cause instanceof CopyError || isAbort(cause)
      ? cause
      : new CopyError(side, reference, cause);
  }
}

/** Whether an error only says that the run was interrupted. */
export function isAbort(error: unknown): boolean {
  return (
    error instanceof Error && (error.name === 'AbortError' || error.name === 'InterruptedError')
  );
}

/** The user interrupted the run: what was not finished is left for the next one. */
export class InterruptedError extends Error {
  override readonly name = 'InterruptedError';
  readonly code = 'INTERRUPTED';

  constructor() {
    super('interrupted before it was finished');
  }
}
