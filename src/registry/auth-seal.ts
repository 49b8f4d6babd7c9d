import { parseMap } from '../text/document.ts';
import type { MapNode, ScalarNode } from '../text/node.ts';
import { EXPECTED_IN_AUTH_FILE as EXPECTED, variableIn } from './auth-file.ts';
import { isSealed, type SealPlace, seal } from './seal.ts';

const SEALED_FIELDS: readonly string[] = ['username', 'password'];

/**
 * Replaces the plain user names and passwords of an auth.json by ciphertext. Everything else stays as it is,
 * to the byte: comments, order, spaces, environment references.
 *
 * @returns undefined where nothing is left to seal
 */
export function sealAuthFile(text: string, file: string, key: Uint8Array): string | undefined {
  const parts: string[] = [];
  let done = 0;
  for (const { node, place } of plainSecrets(parseMap(text, file, EXPECTED))) {
    // A block of YAML text ends with its line break, which must stay.
    const end = node.start + text.slice(node.start, node.end).trimEnd().length;
    parts.push(text.slice(done, node.start), JSON.stringify(seal(node.text, place, key)));
    done = end;
  }
  return done === 0 ? undefined : parts.join('') + text.slice(done);
}

/** Whether an auth.json holds anything that {@link sealAuthFile} would replace. */
export function hasPlainSecrets(text: string, file: string): boolean {
  const [first] = plainSecrets(parseMap(text, file, EXPECTED));
  return first !== undefined;
}

function* plainSecrets(
  root: MapNode,
): Iterable<{ readonly node: ScalarNode; readonly place: SealPlace }> {
  for (const { key: registry, value } of root.entries) {
    if (value.kind !== 'map') continue;
    for (const { key: field, value: node } of value.entries) {
      if (!SEALED_FIELDS.includes(field) || node.kind !== 'scalar' || node.value === null) continue;
      if (node.text === '' || isSealed(node.text) || variableIn(node.text)) continue;
      yield { node, place: { registry, field } };
    }
  }
}
