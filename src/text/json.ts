import {
  type Node as JsonNode,
  type ParseError,
  parseTree,
  printParseErrorCode,
} from 'jsonc-parser';
import { DocumentError } from './errors.ts';
import type { Entry, Node } from './node.ts';
import { positionsOf } from './position.ts';

const WORDS: Readonly<Record<string, string>> = {
  InvalidSymbol: 'this word is not JSON',
  InvalidNumberFormat: 'this number is not JSON',
  PropertyNameExpected: 'a key in double quotes is expected',
  ValueExpected: 'a value is expected',
  ColonExpected: 'a colon is expected',
  CommaExpected: 'a comma is expected',
  CloseBraceExpected: 'a closing brace is expected',
  CloseBracketExpected: 'a closing bracket is expected',
  EndOfFileExpected: 'nothing more is expected',
  UnexpectedEndOfComment: 'this comment does not end',
  UnexpectedEndOfString: 'this text in quotes does not end',
  UnexpectedEndOfNumber: 'this number does not end',
  InvalidUnicode: 'this \\u escape is not four hexadecimal digits',
  InvalidEscapeCharacter: 'a backslash cannot stand before this character',
  InvalidCharacter: 'this character must be escaped',
};

/** @throws {DocumentError} with the place of the first fault */
export function parseJson(text: string, file: string): Node {
  try {
    return parsed(text, file);
  } catch (error) {
    // The parser calls itself for each level, and its stack ends.
    if (!(error instanceof RangeError)) throw error;
    throw new DocumentError(file, undefined, 'the values are nested too deeply');
  }
}

function parsed(text: string, file: string): Node {
  const errors: ParseError[] = [];
  // A byte order mark becomes a space: every offset stays what it is.
  const root = parseTree(text.replace(/^\uFEFF/, ' '), errors, { allowTrailingComma: true });
  const [first] = errors;
  if (!first && root) return nodeOf(root, text);
  const code = first ? printParseErrorCode(first.error) : 'ValueExpected';
  throw new DocumentError(
    file,
    positionsOf(text)(first?.offset ?? 0),
    `broken JSON: ${WORDS[code] ?? code}`,
  );
}

function nodeOf(node: JsonNode, text: string): Node {
  const span = { start: node.offset, end: node.offset + node.length };
  const children = node.children ?? [];
  if (node.type === 'object')
    return { kind: 'map', entries: children.map((child) => entryOf(child, text)), ...span };
  if (node.type === 'array')
    return { kind: 'list', items: children.map((child) => nodeOf(child, text)), ...span };
  const { value } = node;
  const written = typeof value === 'string' ? value : text.slice(span.start, span.end);
  return { kind: 'scalar', value, text: written, ...span };
}

function entryOf(property: JsonNode, text: string): Entry {
  const [key, value] = property.children ?? [];
  if (!key || !value) throw new TypeError('a property without key or value passed the parser');
  return { key: key.value, keyStart: key.offset, value: nodeOf(value, text) };
}
