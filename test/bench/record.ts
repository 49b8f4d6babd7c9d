import type { Traffic } from './access-log.ts';
import type { Totals } from './corpus.ts';

// What a benchmark leaves behind, as JSON.

/** What one run of one tool used. */
export interface Measured {
  readonly command: string;
  /** exit code; null: it was ended from outside */
  readonly exit: number | null;
  /** the last of what a failed run said */
  readonly output: string;
  readonly wallMs: number;
  /** milliseconds of CPU; `tool`: all processes of the tool; `other`: everything else on the machine */
  readonly cpuMs: {
    readonly tool: number;
    readonly source: number;
    readonly destination: number;
    readonly link: number;
    readonly other: number;
  };
  /** bytes in memory: of all the tool's processes at a time, and of its largest one */
  readonly peakBytes: { readonly tree: number; readonly largest: number };
  /** bytes that the source sent, headers included */
  readonly bytesSent: number;
  /** bytes that the destination received, headers included */
  readonly bytesReceived: number;
  readonly source: Traffic;
  readonly destination: Traffic;
}

export interface Run extends Measured {
  /** what was copied, and from what state: `cluster fresh` */
  readonly name: string;
  readonly tool: string;
  readonly round: number;
  /** what a growth run varies, and to what; undefined in a comparison */
  readonly axis?: string;
  readonly value?: number;
  /** images that are not at the destination as they should be */
  readonly faults: readonly string[];
}

export interface Machine {
  readonly processor: string;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly kernel: string;
  readonly node: string;
}

export interface Results {
  readonly version: 1;
  readonly kind: 'comparison' | 'growth';
  readonly date: string;
  readonly machine: Machine;
  readonly link: {
    readonly roundTripMs: number;
    readonly bitsPerSecond?: number | undefined;
    readonly tls?: boolean;
  };
  readonly scale: string;
  readonly workers: number;
  /** tool to version; the registry is one of them */
  readonly versions: Readonly<{ [tool: string]: string }>;
  /** what each job adds up to */
  readonly totals: Readonly<{ [job: string]: Totals }>;
  readonly runs: readonly Run[];
}

/** Other work took more than a tenth of the run: its time says less than it should. */
export function isDisturbed({ wallMs, cpuMs }: Measured): boolean {
  return cpuMs.other > 100 + wallMs / 10;
}
