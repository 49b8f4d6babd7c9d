/** One challenge of a WWW-Authenticate header; scheme and parameter names in lower case. */
export interface Challenge {
  readonly scheme: string;
  readonly parameters: ReadonlyMap<string, string>;
}

const TOKEN = /[!#$%&'*+.^_`|~0-9A-Za-z-]+/y;
const PARAMETER = /\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))/y;
const SEPARATOR = /[\s,]+/y;

/**
 * Parses WWW-Authenticate: several challenges, in any order, with or without quotes. What cannot be
 * understood is left out, nothing is thrown: a server that writes nonsense gets no credentials.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9110#name-www-authenticate
 */
export function parseChallenges(header: string): readonly Challenge[] {
  const challenges: { scheme: string; parameters: Map<string, string> }[] = [];
  let at = 0;
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const match = pattern.exec(header);
    if (match) at = pattern.lastIndex;
    return match;
  };
  while (at < header.length) {
    if (take(SEPARATOR)) continue;
    const word = take(TOKEN)?.[0].toLowerCase();
    if (word === undefined) {
      at += 1;
      continue;
    }
    const value = take(PARAMETER);
    if (!value) challenges.push({ scheme: word, parameters: new Map() });
    else
      challenges.at(-1)?.parameters.set(word, value[1]?.replace(/\\(.)/g, '$1') ?? value[2] ?? '');
  }
  return challenges;
}
