import { DocumentError } from './errors.ts';
import { parseJson } from './json.ts';
import type { MapNode, Node } from './node.ts';
import { positionsOf } from './position.ts';
import { parseYaml } from './yaml.ts';

const BEFORE_THE_VALUE = /^\uFEFF?(?:\s+|\/\/[^\n]*|\/\*[\s\S]*?\*\/)*/;

/**
 * Reads JSON, JSON with comments, or YAML into nodes that remember where they stand. Repeated keys are kept.
 *
 * @param file - the name that errors give; its ending decides between JSON and YAML where the text does not
 * @returns undefined for a text without any value
 * @throws {DocumentError} with line and column of the first fault
 */
export function parseDocument(text: string, file: string): Node | undefined {
  const first = BEFORE_THE_VALUE.exec(text)?.[0].length ?? 0;
  if (first === text.length) return undefined;
  const json = /[{[]/.test(text[first] ?? '') && !/\.ya?ml$/i.test(file);
  return json ? parseJson(text, file) : parseYaml(text, file);
}

/**
 * Reads a document whose top must be a map.
 *
 * @param expected - what the map is, for the error: "a map of sources to destinations"
 * @throws {DocumentError} the text is empty, broken, or something else than a map
 */
export function parseMap(text: string, file: string, expected: string): MapNode {
  const root = parseDocument(text, file);
  if (!root) throw new DocumentError(file, undefined, `the file is empty; expected ${expected}`);
  if (root.kind === 'map') return root;
  throw new DocumentError(file, positionsOf(text)(root.start), `expected ${expected}`);
}
