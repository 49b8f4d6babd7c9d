import { parseMap } from '../text/document.ts';
import { DocumentError } from '../text/errors.ts';
import type { ScalarNode } from '../text/node.ts';
import { positionsOf } from '../text/position.ts';
import { EXPECTED_IN_AUTH_FILE, LOGIN_FIELDS, unopened, variableIn } from './auth-file.ts';
import { isSealed, type SealPlace, seal, unseal } from './seal.ts';

/** An auth.json with other values in it. */
export interface Rewritten {
  readonly text: string;
  /** how many values were replaced; without any the text is what it was */
  readonly count: number;
}

const SEALED_FIELDS: readonly string[] = ['username', 'password'];
const SECRET_FIELDS: readonly string[] = LOGIN_FIELDS;

/**
 * Replaces the plain user names and passwords of an auth.json by ciphertext. Everything else stays as it is,
 * to the byte: comments, order, spaces, environment references.
 *
 * @throws {DocumentError} the text is broken, or no map
 */
export function sealAuthFile(text: string, file: string, key: Uint8Array): Rewritten {
  const values = plainLogins(text, file).map(({ node, place }) => ({
    node,
    value: seal(node.text, place, key),
  }));
  return rewritten(text, values);
}

/**
 * Replaces every sealed value of an auth.json by what it holds, and nothing else.
 *
 * @param key - undefined opens nothing: then a sealed value is an error
 * @throws {DocumentError} the text is broken, or a value does not open: the first of them is named
 */
export function openAuthFile(text: string, file: string, key: Uint8Array | undefined): Rewritten {
  const values = sealedValues(text, file).map(({ node, place }) => {
    const value = key && unseal(node.text, place, key);
    if (value !== undefined) return { node, value };
    throw new DocumentError(file, positionsOf(text)(node.start), unopened(place));
  });
  return rewritten(text, values);
}

/** Whether an auth.json holds anything that {@link sealAuthFile} would replace. */
export function hasPlainLogins(text: string, file: string): boolean {
  return plainLogins(text, file).length > 0;
}

/** Whether an auth.json holds anything that {@link openAuthFile} would replace. */
export function hasSealedValues(text: string, file: string): boolean {
  return sealedValues(text, file).length > 0;
}

/** Whether an auth.json holds anything that others should not read, sealed or not. */
export function hasSecrets(text: string, file: string): boolean {
  return valuesIn(text, file).some(
    ({ node, place }) => SECRET_FIELDS.includes(place.field) && variableIn(node.text) === undefined,
  );
}

/** A value of an entry that is not empty. */
interface PlacedValue {
  readonly node: ScalarNode;
  readonly place: SealPlace;
}

function plainLogins(text: string, file: string): readonly PlacedValue[] {
  return valuesIn(text, file).filter(
    ({ node, place }) =>
      SEALED_FIELDS.includes(place.field) &&
      !isSealed(node.text) &&
      variableIn(node.text) === undefined,
  );
}

function sealedValues(text: string, file: string): readonly PlacedValue[] {
  return valuesIn(text, file).filter(({ node }) => isSealed(node.text));
}

function valuesIn(text: string, file: string): readonly PlacedValue[] {
  return parseMap(text, file, EXPECTED_IN_AUTH_FILE).entries.flatMap(({ key: registry, value }) =>
    value.kind !== 'map'
      ? []
      : value.entries.flatMap(({ key: field, value: node }) =>
          node.kind !== 'scalar' || node.value === null || node.text === ''
            ? []
            : [{ node, place: { registry, field } }],
        ),
  );
}

function rewritten(
  text: string,
  values: readonly { readonly node: ScalarNode; readonly value: string }[],
): Rewritten {
  const parts: string[] = [];
  let done = 0;
  for (const { node, value } of values) {
    // A block of YAML text ends with its line break, which must stay.
    const end = node.start + text.slice(node.start, node.end).trimEnd().length;
    // In double quotes as JSON has them, which YAML reads too.
    parts.push(text.slice(done, node.start), JSON.stringify(value));
    done = end;
  }
  return { text: parts.join('') + text.slice(done), count: values.length };
}
