import { parseMap } from '../text/document.ts';
import type { Entry, Node } from '../text/node.ts';
import { positionsOf } from '../text/position.ts';
import type { Defaults } from './defaults.ts';
import { type Destination, parseDestination } from './destination.ts';
import { InvalidRuleError, type RulePlace } from './errors.ts';
import { EXPECTED_IN_RULES } from './rule-file.ts';
import { parseSource, type Source } from './source.ts';

/** One line of images.json: a source and one destination. A list of destinations makes several rules. */
export interface Rule {
  readonly place: RulePlace;
  readonly source: Source;
  readonly destination: Destination;
}

export interface Rules {
  readonly rules: readonly Rule[];
  readonly failures: readonly InvalidRuleError[];
}

/**
 * Reads images.json: a map of sources to destinations, as JSON, JSON with comments or YAML. A key may be
 * repeated, and a value may be a list, to send one source to several places. A rule that cannot be used is a
 * failure with its place; the others go on.
 *
 * @throws {DocumentError} the text is empty, broken, or no map at all
 */
export function parseRules(text: string, file: string, defaults: Defaults): Rules {
  const root = parseMap(text, file, EXPECTED_IN_RULES);
  const position = positionsOf(text);
  const rules: Rule[] = [];
  const failures: InvalidRuleError[] = [];
  for (const entry of root.entries) {
    const { line, column } = position(entry.keyStart);
    for (const destination of destinationsIn(entry)) {
      const place = {
        file,
        line,
        column,
        source: withoutLogin(entry.key),
        destination: withoutLogin(destination ?? shown(entry.value)),
      };
      try {
        rules.push(ruleOf(place, destination, defaults));
      } catch (error) {
        failures.push(new InvalidRuleError(place, (error as Error).message, { cause: error }));
      }
    }
  }
  return { rules, failures };
}

function ruleOf(place: RulePlace, destination: string | undefined, defaults: Defaults): Rule {
  if (destination === undefined)
    throw new TypeError('the destination must be a text, or a list of texts');
  const source = parseSource(place.source, defaults);
  return {
    place,
    source,
    destination: parseDestination(withoutLogin(destination), source, defaults),
  };
}

/** A text fit to be shown: an address that somebody took for a reference may hold a login. */
function withoutLogin(text: string): string {
  return text.replace(/^([a-z-]+:\/\/)[^/]*@/i, '$1');
}

/** The destinations of an entry; undefined stands for a value that is none. */
function destinationsIn({ value }: Entry): readonly (string | undefined)[] {
  if (value.kind !== 'list') return [textOf(value)];
  return value.items.length === 0 ? [undefined] : value.items.map(textOf);
}

function textOf(node: Node): string | undefined {
  if (node.kind !== 'scalar') return undefined;
  if (node.value === null) return '';
  return typeof node.value === 'string' ? node.value : undefined;
}

function shown(node: Node): string {
  return node.kind === 'scalar' ? node.text : `(a ${node.kind})`;
}
