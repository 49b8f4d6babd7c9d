import { CopyError } from '../copy/errors.ts';
import type { Explanation } from '../copy/report.ts';
import { storeErrorIn } from '../oci/errors.ts';
import { printable } from '../text/printable.ts';

/** What a user can do about an error, by its code. */
const HINTS: Readonly<Record<string, string>> = {
  UNAUTHORIZED:
    'check this registry\'s user name and password in auth.json (the log says which login was used), or log in with "docker login"',
  DENIED:
    'this login may not do that here: ask for the right, or create the namespace or repository first',
  NAME_UNKNOWN: 'check the name of the repository',
  MANIFEST_UNKNOWN: 'check the name and the tag; the image may have been deleted',
  NOT_FOUND: 'check the name and the tag; the image may have been deleted',
  UNKNOWN_HOST: 'check the spelling of the registry, and that this machine can resolve it',
  NETWORK: 'check the network and the proxy; a second run goes on from here',
  TLS: 'give its authority as "ca" in auth.json, or set "insecure": true there if you trust the network',
  TOOMANYREQUESTS: 'wait, or log in for a higher limit; a second run goes on from here',
  TOO_LARGE: 'the registry, or a proxy before it, limits the size of an upload',
  UNAVAILABLE: 'the registry has trouble of its own; a second run goes on from here',
  DIGEST_MISMATCH:
    'the bytes are damaged at the source or on the way; nothing was stored under this digest',
  INTERRUPTED: 'run the same command again; it goes on from here',
};

/** Says what went wrong and what to do next, in words and without secrets. */
export function explain(error: unknown): Explanation {
  const code = codeOf(error);
  const hint = hintOf(error) ?? HINTS[code];
  return { code, message: messageOf(error), ...(hint === undefined ? {} : { hint }) };
}

/** The same in one line, for the log and for progress lines. */
export function explainShortly(error: unknown): string {
  return inOneLine(explain(error));
}

/** What was explained, in one line. */
export function inOneLine({ code, message, hint }: Explanation): string {
  return `${message} [${code}]${hint ? `; ${hint}` : ''}`;
}

function codeOf(error: unknown): string {
  const known = storeErrorIn(error)?.code ?? (error as { readonly code?: unknown }).code;
  return typeof known === 'string' ? known : 'ERROR';
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return printable(String(error));
  if (error instanceof CopyError && error.cause instanceof Error)
    return `${error.side}: ${printable(error.cause.message)}`;
  return error.message;
}

// Errors of the cluster bring their own advice.
function hintOf(error: unknown): string | undefined {
  const hint = error instanceof Error && 'hint' in error ? error.hint : undefined;
  return typeof hint === 'string' ? hint : undefined;
}
