import fc from 'fast-check';

/** What a text of {@link soup} may hold, and no error of a file with logins may show. */
export const SECRET = 'hunter2';

// Pieces of JSON and of YAML that mean something, and some that mean nothing.
const PIECES = [
  ...['{', '}', '[', ']', ':', ': ', ',', '"', "'", '\\', '\\u', '\n', '\n  ', '\n\t', '\t', ' '],
  ...['- ', '? ', '# ', '// ', '|', '>', '>-\n ', '---\n', '...\n', '%', '@', '`'],
  ...['a', 'a: ', '"a": ', 'r.example', 'username', 'password', 'null', 'true', '1', '1e999', '-'],
  ...['__proto__', 'constructor', '\u0000', '\u001b[2J', '\u202e', '\ufeff', '\ud800', 'ä', '😀'],
];
// With these YAML refers to other places, and names types.
const REFERRING = [
  '/*',
  '*/',
  '*',
  '&',
  '&a ',
  '*a',
  '<<: ',
  '!',
  '!!',
  '!e!',
  '!<',
  '%YAML ',
  '%TAG ',
];

/**
 * Texts that nearly are JSON or YAML, with a secret at any place of them.
 *
 * @param referring - whether there are aliases, anchors, tags and directives in them
 */
export function soup(referring: boolean): fc.Arbitrary<string> {
  const piece = fc.constantFrom(SECRET, ...PIECES, ...(referring ? REFERRING : []));
  return fc.array(piece, { maxLength: 25 }).map((pieces) => pieces.join(''));
}
