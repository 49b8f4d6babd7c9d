import { StoreError } from '../oci/errors.ts';
import type { RegistryError } from './errors.ts';
import type { Right } from './registry.ts';

/** A registry takes a login, but not for what is asked of it. */
export class MissingRightError extends StoreError {
  override readonly name = 'MissingRightError';
  readonly code = 'DENIED';

  constructor(right: Right, refusal: RegistryError) {
    const or = right === 'pull' ? ', if there is such a repository' : '';
    super(`${refusal.host} takes this login, but does not let it ${right} here${or}`, {
      cause: refusal,
    });
  }

  override get forbidden(): boolean {
    return true;
  }
}

/** A registry where somebody has to make a repository before it can be pushed to, as in Amazon's. */
export class MissingRepositoryError extends StoreError {
  override readonly name = 'MissingRepositoryError';
  readonly code: string;
  readonly hint =
    'the repository must be created first, and the namespace or project that it is in: this registry makes none at a push';

  constructor(refusal: RegistryError) {
    super(refusal.message, { cause: refusal });
    this.code = refusal.code;
  }

  override get missing(): boolean {
    return true;
  }
}

/** Nobody at this host knows the distribution API. */
export class NoRegistryError extends StoreError {
  override readonly name = 'NoRegistryError';
  readonly code = 'NOT_FOUND';
  readonly hint = 'no registry answers under this name: check its spelling';

  constructor(refusal: RegistryError) {
    super(refusal.message, { cause: refusal });
  }
}
