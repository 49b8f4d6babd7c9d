import { Crowd, type Waiting } from './crowd.ts';

/** How much is done at a time. */
export interface Ceiling {
  readonly lanes: number;
  /** lanes beside those that only small work may use, so that it never waits behind large work */
  readonly smallLanes?: number;
}

export interface QueueOptions extends Ceiling {
  /** work below this size is small */
  readonly smallBelow?: number;
  /** the same for each host: work that keeps two hosts busy needs room at both */
  readonly perHost?: Ceiling;
}

export interface Work<Result> {
  /** bytes, or anything else that grows with the time that the work takes */
  readonly size: number;
  readonly hosts?: readonly string[];
  /** whether it can wait as long as there is other work */
  readonly early?: boolean;
  readonly run: () => Promise<Result>;
}

export interface Turn<Result> {
  readonly result: Promise<Result>;
  /** Says that the work can wait no longer. */
  hurry(): void;
}

// Connections share a line unevenly, and what began last must not be the slowest one: the best of 1, 2 and 4 at 200 Mbit/s.
const UNFAIRNESS = 4;

type Lane = 'any' | 'small';

interface Entry extends Waiting {
  begun: boolean;
  readonly start: (lane: Lane) => void;
}

/**
 * Does the largest work first, a bounded number at a time: what takes longest must not begin last. Work that is
 * early fills the lanes that would stand empty, unless it is so large that it would end last if it waited: all
 * lanes share one line, so it takes as long as as much work in every lane.
 */
export class Queue {
  readonly #options: QueueOptions;
  readonly #due = new Crowd<Entry>();
  readonly #early = new Crowd<Entry>();
  /** sizes of all that waits or runs */
  #open = 0;
  readonly #busy: Record<Lane, number> = { any: 0, small: 0 };
  readonly #busyAt: Record<Lane, Map<string, number>> = { any: new Map(), small: new Map() };

  constructor(options: QueueOptions) {
    this.#options = options;
  }

  enter<Result>({ size, hosts = [], early = false, run }: Work<Result>): Turn<Result> {
    const { promise, resolve, reject } = Promise.withResolvers<Result>();
    const start = (lane: Lane): void => {
      entry.begun = true;
      this.#count(lane, hosts, 1);
      run()
        .finally(() => {
          this.#open -= size;
          this.#count(lane, hosts, -1);
          this.#fill();
        })
        .then(resolve, reject);
    };
    const entry: Entry = { size, hosts, begun: false, start };
    this.#open += size;
    (early ? this.#early : this.#due).add(entry);
    this.#fill();
    return {
      result: promise,
      hurry: () => {
        if (!early || entry.begun) return;
        this.#due.add(entry);
        this.#fill();
      },
    };
  }

  /** The same, without a way to hurry it. */
  run<Result>(size: number, run: () => Promise<Result>): Promise<Result> {
    return this.enter({ size, run }).result;
  }

  #fill(): void {
    while (this.#startLargest('any', Number.POSITIVE_INFINITY));
    while (this.#startLargest('small', this.#options.smallBelow ?? 0));
  }

  #startLargest(lane: Lane, below: number): boolean {
    const { perHost } = this.#options;
    if (this.#busy[lane] >= lanesOf(this.#options, lane)) return false;
    const most = perHost ? lanesOf(perHost, lane) : Number.POSITIVE_INFINITY;
    const hasRoom = (hosts: readonly string[]): boolean =>
      hosts.every((host) => (this.#busyAt[lane].get(host) ?? 0) < most);
    const pressing = {
      from: this.#open / (UNFAIRNESS * lanesOf(perHost ?? this.#options, 'any')),
      below,
    };
    const entry =
      this.#due.take(pressing, hasRoom) ??
      this.#early.take(pressing, hasRoom) ??
      this.#due.take({ below }, hasRoom) ??
      this.#early.take({ below }, hasRoom);
    entry?.start(lane);
    return entry !== undefined;
  }

  #count(lane: Lane, hosts: readonly string[], change: 1 | -1): void {
    this.#busy[lane] += change;
    const busyAt = this.#busyAt[lane];
    for (const host of hosts) busyAt.set(host, (busyAt.get(host) ?? 0) + change);
  }
}

function lanesOf({ lanes, smallLanes = 0 }: Ceiling, lane: Lane): number {
  return lane === 'any' ? lanes : smallLanes;
}
