import type { RepositoryName } from '../oci/reference.ts';

export type Credential =
  | { readonly kind: 'password'; readonly username: string; readonly password: string }
  /** a refresh token, which the registry's token service exchanges for access tokens */
  | { readonly kind: 'identity-token'; readonly token: string };

/** How to log in to a repository; without a credential: anonymously, on purpose. */
export interface Login {
  readonly credential?: Credential;
  /** where it was found, in words for the log: "auth.json", "docker-credential-pass" */
  readonly origin: string;
}

/** Answers with a login, or with undefined: "not mine". A throw means "mine, and broken". */
export type CredentialSource = (name: RepositoryName) => Promise<Login | undefined>;

export const ANONYMOUS: Login = { origin: 'anonymous' };

/** Asks the sources in turn; where none answers the login is anonymous. */
export function firstOf(
  ...sources: readonly CredentialSource[]
): (name: RepositoryName) => Promise<Login> {
  return async (name) => {
    for (const source of sources) {
      const login = await source(name);
      if (login) return login;
    }
    return ANONYMOUS;
  };
}

/** A user name of `<token>` marks the password as an identity token, as docker's helpers do. */
export function passwordOrToken(username: string, password: string): Credential {
  return username === '<token>'
    ? { kind: 'identity-token', token: password }
    : { kind: 'password', username, password };
}

export function basicHeader(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`, 'utf8').toString('base64')}`;
}
