/** Where a node stands, as offsets into the text; `end` is behind its last character. */
interface Span {
  readonly start: number;
  readonly end: number;
}

export interface ScalarNode extends Span {
  readonly kind: 'scalar';
  readonly value: string | number | boolean | null;
  /** the value as it was written, without quotes: `0123` stays `0123` */
  readonly text: string;
}

export interface ListNode extends Span {
  readonly kind: 'list';
  readonly items: readonly Node[];
}

export interface Entry {
  readonly key: string;
  readonly keyStart: number;
  readonly value: Node;
}

/** Entries in the order of the text, repeated keys included. */
export interface MapNode extends Span {
  readonly kind: 'map';
  readonly entries: readonly Entry[];
}

export type Node = ScalarNode | ListNode | MapNode;
