import { type Document, parseAllDocuments } from 'yaml';
import { positionsOf } from '../text/position.ts';
import { reasonOf } from '../text/yaml.ts';

/** One document of a file. */
export interface ManifestDocument {
  /** file, line and column */
  readonly place: string;
  readonly value: unknown;
  /** why the document is of no use; undefined where it is */
  readonly reason?: string;
}

/** Cuts a file into its documents; empty ones are left out. Broken ones say where and why. */
export function parseManifest(text: string, file: string): readonly ManifestDocument[] {
  const place = placesOf(text, file);
  const value = jsonOf(text);
  if (value !== undefined) return [{ place: place(0), value }];
  // As in YAML 1.1, which Kubernetes follows, `<<` merges a mapping into another.
  const documents = parseAllDocuments(text, {
    merge: true,
    uniqueKeys: false,
    prettyErrors: false,
  });
  if ('empty' in documents) return [];
  return documents.flatMap((document) => documentOf(document, place));
}

function documentOf(document: Document, place: (offset: number) => string): ManifestDocument[] {
  const start = document.contents?.range?.[0] ?? 0;
  const broken = (reason: string, offset = start): ManifestDocument[] => [
    { place: place(offset), value: undefined, reason: `broken YAML: ${reasonOf(reason)}` },
  ];
  const [error] = document.errors;
  if (error) return broken(error.message, error.pos[0]);
  try {
    const value: unknown = document.toJS();
    return value === null || value === undefined ? [] : [{ place: place(start), value }];
  } catch (error) {
    // Aliases that point nowhere, or that multiply without end.
    return broken((error as Error).message);
  }
}

// Ten times faster than YAML, which matters for the output of `kubectl get --output json`.
function jsonOf(text: string): unknown {
  if (!/^\s*[{[]/.test(text)) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function placesOf(text: string, file: string): (offset: number) => string {
  const position = positionsOf(text);
  return (offset) => {
    const { line, column } = position(offset);
    return `${file}:${line}:${column}`;
  };
}
