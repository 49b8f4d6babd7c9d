import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  parseAllDocuments,
  type Node as YamlNode,
} from 'yaml';
import { DocumentError } from './errors.ts';
import type { Entry, Node, ScalarNode } from './node.ts';
import { type Position, positionsOf } from './position.ts';

/** @throws {DocumentError} with the place of the first fault */
export function parseYaml(text: string, file: string): Node | undefined {
  const position = positionsOf(text);
  // Unique keys are not asked for: rules repeat them on purpose, and the check is quadratic.
  const documents = parseAllDocuments(text, { uniqueKeys: false, prettyErrors: false });
  if ('empty' in documents) return undefined;
  const [document, ...others] = documents.filter(saysSomething);
  const [error] = document?.errors ?? [];
  if (error)
    throw new DocumentError(
      file,
      position(error.pos[0]),
      `broken YAML: ${reasonOf(error.message)}`,
    );
  const [second] = others;
  if (second)
    throw new DocumentError(
      file,
      position(second.range[0]),
      'a second YAML document is not expected',
    );
  return document?.contents ? nodeOf(document.contents, position, file) : undefined;
}

// Files that were put together end in a mark with nothing behind it.
function saysSomething({ contents, errors }: Document.Parsed): boolean {
  return errors.length > 0 || !(isScalar(contents) && contents.value === null);
}

function nodeOf(node: unknown, position: (offset: number) => Position, file: string): Node {
  const fail = (reason: string, at: number) => {
    throw new DocumentError(file, position(at), reason);
  };
  const convert = (part: unknown, at: number): Node => {
    if (part === null) return { kind: 'scalar', value: null, text: '', start: at, end: at };
    const { range } = part as YamlNode;
    const [start, end] = range ?? [at, at];
    if (isAlias(part)) return fail('aliases are not understood here', start);
    if (isSeq(part))
      return { kind: 'list', items: part.items.map((item) => convert(item, start)), start, end };
    if (isMap(part)) {
      const entries = part.items.map((pair): Entry => {
        const { key } = pair;
        if (!isScalar(key))
          return fail('a key must be a plain text', (key as YamlNode | null)?.range?.[0] ?? start);
        const [keyStart, keyEnd] = key.range ?? [start, start];
        return {
          key: String(key.source ?? key.value),
          keyStart,
          value: convert(pair.value, keyEnd),
        };
      });
      return { kind: 'map', entries, start, end };
    }
    if (isScalar(part)) {
      const { value } = part;
      const written = typeof value === 'string' ? value : (part.source ?? String(value));
      return { kind: 'scalar', value: value as ScalarNode['value'], text: written, start, end };
    }
    return fail('this is not understood here', start);
  };
  return convert(node, 0);
}

/** Where the library's messages repeat the text, which may hold passwords, and what is said instead. */
const QUOTES: readonly (readonly [RegExp, string])[] = [
  [/ at line \d+, column \d+:?$/, ''],
  [/: (?!between).*$/, ''],
  [/^(Unexpected) .+ (in [\w -]+)$/, '$1 text $2'],
  [/^The .+ (tag has no suffix)$/, 'A $1'],
  [
    /^(Unknown directive|Unsupported YAML version|Invalid escape sequence|Unresolved plain scalar) .*$/,
    '$1',
  ],
  [/, so .* is invalid\.$/, ''],
  [/^.+ (used for .*)$/, 'A tag is $1'],
  [/^Tag .+ not found$/, 'A tag is not known'],
];

/** What the library says of a fault, without what it quotes. */
export function reasonOf(message: string): string {
  const [line = message] = message.split('\n');
  return QUOTES.reduce((reason, [quoted, instead]) => reason.replace(quoted, instead), line);
}
