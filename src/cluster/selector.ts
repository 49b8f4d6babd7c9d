import { ClusterError } from './errors.ts';

/** Whether an object with these labels is selected. */
export type Selector = (labels: Readonly<Record<string, unknown>>) => boolean;

const KEY = '[A-Za-z0-9](?:[-A-Za-z0-9_./]*[A-Za-z0-9])?';
const VALUE = '(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?)?';
const EXISTS = new RegExp(`^(!?)\\s*(${KEY})$`);
const EQUALS = new RegExp(`^(${KEY})\\s*(==|=|!=)\\s*(${VALUE})$`);
const IN = new RegExp(`^(${KEY})\\s+(in|notin)\\s*\\(([^()]*)\\)$`);
const WHOLE_VALUE = new RegExp(`^${VALUE}$`);

/**
 * Parses a label selector: `app=web,tier!=cache,env in (a, b),zone notin (c),owner,!draft`; all must hold.
 *
 * @throws {ClusterError} the text breaks the grammar
 * @see https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors
 */
export function parseSelector(text: string): Selector {
  if (text.trim() === '') return () => true;
  // Commas inside of parentheses separate values, not requirements.
  const requirements = text.split(/,(?![^()]*\))/).map((part) => requirement(part.trim(), text));
  return (labels) => requirements.every((holds) => holds(labels));
}

function requirement(part: string, text: string): Selector {
  const exists = EXISTS.exec(part);
  if (exists) {
    const [, not, key = ''] = exists;
    return (labels) => Object.hasOwn(labels, key) === (not === '');
  }
  const equals = EQUALS.exec(part);
  if (equals) {
    const [, key = '', operator, value] = equals;
    return (labels) => (labelValue(labels, key) === value) === (operator !== '!=');
  }
  const [, key = '', operator, list = ''] = IN.exec(part) ?? [];
  const values = list.split(',').map((value) => value.trim());
  if (operator === undefined || !values.every((value) => WHOLE_VALUE.test(value)))
    throw new ClusterError('configuration', `"${part}" is no label selector, in "${text}"`, {
      hint: 'Write it as for kubectl: app=web,tier!=cache,env in (a, b),!draft.',
    });
  // As in Kubernetes, "!=" and "notin" select what has no such label at all, too.
  return (labels) => values.includes(labelValue(labels, key) ?? NONE) === (operator === 'in');
}

// No label has this value: it holds a character that labels must not.
const NONE = ' ';

function labelValue(labels: Readonly<Record<string, unknown>>, key: string): string | undefined {
  const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
  return typeof value === 'string' ? value : undefined;
}
