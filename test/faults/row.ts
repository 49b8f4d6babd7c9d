import type { Side } from '../../src/copy/errors.ts';
import type { ProxyFault } from '../support/fault-proxy-faults.ts';

/** One line of the table: something that goes wrong at a registry, and what a user sees of it. */
export interface FaultRow {
  /** what goes wrong; no other row has this name */
  readonly name: string;
  /** where; `both`: the row is tried once at each side */
  readonly side: Side | 'both';
  /** all of them must happen */
  readonly faults: readonly ProxyFault[] | Readonly<Record<Side, readonly ProxyFault[]>>;
  /** every image arrives, or those that do not say why with this code */
  readonly expected: 'survived' | { readonly reported: string };
  /** one sentence */
  readonly what: string;

  /** what is copied: two images that share a layer (default), all tags of a repository, or one large layer */
  readonly images?: 'two' | 'many' | 'large';
  /** the tags are at the destination already, with other images */
  readonly older?: true;
  /** the registry at the destination; `resumable` takes up a broken upload, which distribution 2.8 does not */
  readonly destination?: 'distribution' | 'short tokens' | 'resumable';
  /** nothing listens from the beginning */
  readonly gone?: true;
  /** for how long a registry that was there may be away; default: longer than all of these tests take */
  readonly awayMs?: number;
  /** a transfer that stands still for so long has stalled; default: longer than any does here */
  readonly idleMs?: number;

  /** bytes of blobs that may pass the broken side a second time; default: any number */
  readonly again?: number;
  /** requests beyond those of a run without faults; default 60 */
  readonly more?: number;
  /** how often the images that fail were tried */
  readonly attempts?: number;
  /** the tag of an image that is reported may stand, if all of it is there */
  readonly mayStand?: true;
}

/** The sides at which a row is tried. */
export function sidesOf({ side }: FaultRow): readonly Side[] {
  return side === 'both' ? ['source', 'destination'] : [side];
}

/** The faults of a row for one side. */
export function faultsAt({ faults }: FaultRow, side: Side): readonly ProxyFault[] {
  return 'source' in faults ? faults[side] : faults;
}
