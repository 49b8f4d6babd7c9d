/** Someone who may log in. */
export interface User {
  readonly username: string;
  readonly password: string;
  /** default: push, which includes pull and delete */
  readonly may?: 'pull' | 'push';
  /** the repositories that the user may use; default all */
  readonly repositories?: RegExp;
}

/** May push. Distribution's basic login knows only this one. */
export const PUSHER: User = { username: 'tester', password: 'test-secret' };

/** May pull, not push; known to the in-process registry and to the token server. */
export const READER: User = { username: 'reader', password: 'read-secret', may: 'pull' };

export function basicAuthorization({ username, password }: User): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

/** The user that an Authorization header with a Basic login names, if the password is right. */
export function findUser(
  users: readonly User[],
  authorization: string | undefined,
): User | undefined {
  return users.find((user) => authorization === basicAuthorization(user));
}
