import { printable } from '../text/printable.ts';
import { field } from './body.ts';
import { type Credential, passwordOrToken } from './credentials.ts';
import { CredentialError } from './errors.ts';

const TIMEOUT_MS = 30_000;
const MAXIMUM_ANSWER_BYTES = 1024 * 1024;
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;
// What the helper library of docker itself prints; all helpers are built on it.
const NOT_FOUND = 'credentials not found in native keychain';

/**
 * Asks `docker-credential-<helper> get` for a login. The server goes over standard input, so that nothing
 * stands in the process list; what the helper says on standard error goes to the user.
 *
 * @param server - as docker writes it: a host, or `https://index.docker.io/v1/` for Docker Hub
 * @returns undefined where the helper has no entry
 * @throws {CredentialError} the helper is missing, fails, or answers nonsense
 * @see https://github.com/docker/docker-credential-helpers#development
 */
export async function askHelper(
  helper: string,
  server: string,
  timeoutMs = TIMEOUT_MS,
): Promise<Credential | undefined> {
  const program = `docker-credential-${helper}`;
  if (!NAME.test(helper))
    throw new CredentialError(`"${printable(helper)}" is not the name of a credential helper`);
  // Most runs ask no helper, and the library is the larger part of this floor.
  const { execa } = await import('execa');
  const { failed, stdout, code, timedOut, isMaxBuffer } = await execa(program, ['get'], {
    input: server,
    reject: false,
    timeout: timeoutMs,
    maxBuffer: MAXIMUM_ANSWER_BYTES,
    stderr: 'inherit',
  });
  if (code === 'ENOENT')
    throw new CredentialError(
      `${program} is not on the PATH, but docker's configuration asks for it`,
    );
  if (timedOut) throw new CredentialError(`${program} did not answer within ${timeoutMs / 1000} s`);
  if (isMaxBuffer) throw notUnderstood(program, server);
  if (!failed) return credentialIn(stdout, program, server);
  if (stdout.trim() === NOT_FOUND) return undefined;
  throw new CredentialError(`${program} failed for ${server}: ${reasonIn(stdout)}`);
}

/** Asks each helper once for each server: some ask the user to unlock a key ring. A failure is asked again. */
export function rememberedHelpers(): typeof askHelper {
  const answers = new Map<string, Promise<Credential | undefined>>();
  return (helper, server) => {
    const key = JSON.stringify([helper, server]);
    const known = answers.get(key);
    if (known) return known;
    const answer = askHelper(helper, server);
    answers.set(key, answer);
    answer.catch(() => answers.delete(key));
    return answer;
  };
}

function credentialIn(answer: string, program: string, server: string): Credential | undefined {
  const parsed = parse(answer);
  const username = field(parsed, 'Username');
  const secret = field(parsed, 'Secret');
  if (typeof username !== 'string' || typeof secret !== 'string')
    throw notUnderstood(program, server);
  // docker-credential-pass answers with empty fields where it has no entry.
  return username === '' && secret === '' ? undefined : passwordOrToken(username, secret);
}

function notUnderstood(program: string, server: string): CredentialError {
  return new CredentialError(`${program} gave an answer for ${server} that is not understood`);
}

// A helper gives its reason where an answer would stand; what looks like an answer may hold a secret.
function reasonIn(stdout: string): string {
  const reason = parse(stdout) === undefined ? printable(stdout) : '';
  return reason || 'it gave no reason';
}

// The answer may hold a secret: it is never part of an error.
function parse(answer: string): unknown {
  try {
    return JSON.parse(answer);
  } catch {
    return undefined;
  }
}
