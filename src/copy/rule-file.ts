import { parseMap } from '../text/document.ts';
import { DocumentError } from '../text/errors.ts';

/** A line of images.json as it is written: a source, and one destination. */
export interface RuleText {
  readonly source: string;
  readonly destination: string;
}

/** Writes rules as JSON, one on each line, sorted by source: two scans can be compared line by line. */
export function formatRules(rules: readonly RuleText[]): string {
  const lines = rules.toSorted(bySource).map(jsonLine);
  return lines.length === 0 ? '{}\n' : `{\n${lines.join(',\n')}\n}\n`;
}

/**
 * Adds rules to the end of a map that people may have edited: comments, order and every other character of it
 * stay as they are. JSON stays JSON, and YAML stays YAML.
 *
 * @throws {DocumentError} the text is no map
 */
export function addRules(text: string, file: string, rules: readonly RuleText[]): string {
  if (rules.length === 0) return text;
  const root = parseMap(text, file, 'a map of source images to destinations');
  const added = rules.toSorted(bySource);
  const last = root.entries.at(-1);
  if (text[root.start] !== '{')
    return checked(appendedYaml(text, added), file, root.entries.length + added.length);
  const at = last ? last.value.end : root.start + 1;
  const lines = added.map(jsonLine).join(',\n');
  const insert = last ? `,\n${lines}` : `\n${lines}\n`;
  return checked(
    text.slice(0, at) + insert + text.slice(at),
    file,
    root.entries.length + added.length,
  );
}

function appendedYaml(text: string, rules: readonly RuleText[]): string {
  const lines = rules.map(
    ({ source, destination }) => `${JSON.stringify(source)}: ${JSON.stringify(destination)}\n`,
  );
  return text + (text.endsWith('\n') ? '' : '\n') + lines.join('');
}

// An exotic file (a document end mark, an indented map) must not be broken silently.
function checked(text: string, file: string, count: number): string {
  if (parseMap(text, file, 'a map').entries.length === count) return text;
  throw new DocumentError(
    file,
    undefined,
    'new rules cannot be added to this file; add them by hand or use --force',
  );
}

function jsonLine({ source, destination }: RuleText): string {
  return `  ${JSON.stringify(source)}: ${JSON.stringify(destination)}`;
}

function bySource(first: RuleText, second: RuleText): number {
  if (first.source === second.source) return 0;
  return first.source < second.source ? -1 : 1;
}
