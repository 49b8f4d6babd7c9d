import { parseMap } from '../text/document.ts';
import { DocumentError } from '../text/errors.ts';
import type { MapNode } from '../text/node.ts';

/** What a file of rules should be, for errors. */
export const EXPECTED_IN_RULES = 'a map of source images to destinations';

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
  const root = parseMap(text, file, EXPECTED_IN_RULES);
  const added = rules.toSorted(bySource);
  const whole =
    text[root.start] === '{' ? insertedJson(text, root, added) : appendedYaml(text, added);
  return checked(whole, file, root.entries.length + added.length);
}

// Each alternative ends where its comment ends, so that a comma inside a comment is never taken for one.
const COMMA = /^(?:\s|(?:\/\/|#)[^\n]*\n|\/\*(?:(?!\*\/)[\s\S])*\*\/)*,/;

// Before the closing brace, and behind whatever stands there: the comment of the last rule stays its comment.
function insertedJson(text: string, root: MapNode, rules: readonly RuleText[]): string {
  const end = root.entries.at(-1)?.value.end;
  const start = end ?? root.start + 1;
  const rest = text.slice(start, root.end - 1);
  const comma = end === undefined || COMMA.test(rest) ? '' : ',';
  const lineEnd = lineEndOf(text);
  const lines = rules.map(jsonLine).join(`,${lineEnd}`);
  const content = rest.trimEnd();
  const blank = rest.slice(content.length);
  const before = text.slice(0, start) + comma + content;
  const after = (blank.includes('\n') ? blank : lineEnd + blank) + text.slice(root.end - 1);
  return before + lineEnd + lines + after;
}

function appendedYaml(text: string, rules: readonly RuleText[]): string {
  const lineEnd = lineEndOf(text);
  const lines = rules.map((rule) => `${pairOf(rule)}${lineEnd}`);
  return text + (text.endsWith('\n') ? '' : lineEnd) + lines.join('');
}

function lineEndOf(text: string): string {
  return text.includes('\r\n') ? '\r\n' : '\n';
}

// An exotic file (a document end mark, an indented map) must not be broken silently.
function checked(text: string, file: string, count: number): string {
  if (parseMap(text, file, EXPECTED_IN_RULES).entries.length === count) return text;
  throw new DocumentError(
    file,
    undefined,
    'new rules cannot be added to this file; add them by hand or use --force',
  );
}

function jsonLine(rule: RuleText): string {
  return `  ${pairOf(rule)}`;
}

function pairOf({ source, destination }: RuleText): string {
  return `${JSON.stringify(source)}: ${JSON.stringify(destination)}`;
}

function bySource(first: RuleText, second: RuleText): number {
  if (first.source === second.source) return 0;
  return first.source < second.source ? -1 : 1;
}
