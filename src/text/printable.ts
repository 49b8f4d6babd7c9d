const MAXIMUM_LENGTH = 300;
const HALF_A_CHARACTER = /[\ud800-\udbff]$/;

/**
 * What a server said, fit for a terminal, a log or a report: one line without control characters, of a sane
 * length. Bidirectional marks go too, since they can make a text read as another one.
 */
export function printable(text: string, length = MAXIMUM_LENGTH): string {
  const line = text
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is removed
    .replace(/[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]+/g, ' ')
    .trim();
  if (line.length <= length) return line;
  const cut = line.slice(0, length - 1);
  return `${cut.replace(HALF_A_CHARACTER, '')}…`;
}
