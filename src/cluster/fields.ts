/** An object of which nothing is known yet: JSON from a server, YAML from a file. */
export type Fields = Readonly<Record<string, unknown>>;

const NOTHING: Fields = {};

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The object at the end of a path; an empty one where the path breaks off. */
export function fieldsAt(value: unknown, ...path: readonly string[]): Fields {
  let place = value;
  for (const key of path) place = isFields(place) ? place[key] : undefined;
  return isFields(place) ? place : NOTHING;
}

/** The list under a key; an empty one where there is none. */
export function listAt(fields: Fields, key: string): readonly unknown[] {
  const value = fields[key];
  return Array.isArray(value) ? value : [];
}

/** The text under a key; undefined where there is none, or an empty one. */
export function textAt(fields: Fields, key: string): string | undefined {
  const value = fields[key];
  return typeof value === 'string' && value !== '' ? value : undefined;
}
