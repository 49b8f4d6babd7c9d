import { parseArgs } from 'node:util';
import { SCALES, type Scale } from './corpus.ts';
import { AXES, type Axis } from './growth.ts';

export interface Flags {
  readonly scale: Scale;
  /** jobs, as {@link jobsOf} reads them */
  readonly sets: string;
  readonly roundTripMs: number;
  readonly bitsPerSecond: number | undefined;
  /** both registries speak TLS */
  readonly tls: boolean;
  readonly rounds: number;
  /** undefined: all that are found */
  readonly tools: readonly string[] | undefined;
  readonly workers: number;
  /** where the results go; undefined: nowhere */
  readonly json: string | undefined;
  readonly folder: string | undefined;
  readonly timeoutMs: number;
  /** undefined: a comparison; else the axes of a growth run */
  readonly axes: readonly Axis[] | undefined;
  readonly values: readonly number[] | undefined;
}

export const USAGE = `npm run bench -- [flags]

  --scale small|medium|large   how large the images are (small)
  --sets A,B+C                 jobs of the sets cluster, edge, tags, big (cluster,edge,tags,big); + joins sets to one job
  --rtt MS                     round trip to both registries (0)
  --rate MBIT                  megabits in a second, each way (0: no limit)
  --tls                        both registries speak TLS
  --rounds N                   how often each tool has its turn (3)
  --tools A,B                  which tools; a program's name means all ways to use it (all that are on the PATH)
  --workers N                  images at a time (7)
  --json FILE                  write the results there
  --folder PATH                where registries keep their files (in memory if there is room)
  --timeout S                  end a run that takes longer (600)
  --growth                     vary one thing at a time, with this project's tool alone unless --tools says more
  --axes A,B                   what to vary, of ${Object.keys(AXES).join(', ')} (all)
  --values N,N                 through which values (those that fit the axis)`;

/**
 * Reads the command line.
 *
 * @throws {Error} a flag or a value that is not known
 */
export function readFlags(words: readonly string[]): Flags {
  const text = { type: 'string' } as const;
  const { values: given } = parseArgs({
    args: [...words],
    options: {
      scale: { ...text, default: 'small' },
      sets: { ...text, default: 'cluster,edge,tags,big' },
      rtt: { ...text, default: '0' },
      rate: { ...text, default: '0' },
      rounds: { ...text, default: '3' },
      workers: { ...text, default: '7' },
      timeout: { ...text, default: '600' },
      tls: { type: 'boolean', default: false },
      growth: { type: 'boolean', default: false },
      ...{ tools: text, json: text, folder: text, axes: text, values: text },
    },
  });
  const list = (value: string | undefined) => value?.split(',');
  return {
    scale: oneOf('scale', given.scale, SCALES),
    sets: given.sets,
    roundTripMs: number('rtt', given.rtt),
    bitsPerSecond: number('rate', given.rate) * 1e6 || undefined,
    tls: given.tls,
    rounds: number('rounds', given.rounds),
    tools: list(given.tools) ?? (given.growth ? ['migrate-images'] : undefined),
    workers: number('workers', given.workers),
    json: given.json,
    folder: given.folder,
    timeoutMs: number('timeout', given.timeout) * 1000,
    axes: given.growth ? axesOf(list(given.axes)) : undefined,
    values: list(given.values)?.map((value) => number('values', value)),
  };
}

function axesOf(names: readonly string[] | undefined): readonly Axis[] {
  const known = Object.keys(AXES) as Axis[];
  return names?.map((name) => oneOf('axes', name, known)) ?? known;
}

function number(flag: string, text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value) || value < 0)
    throw new Error(`--${flag} wants a number, not ${JSON.stringify(text)}`);
  return value;
}

function oneOf<Value extends string>(flag: string, text: string, known: readonly Value[]): Value {
  const found = known.find((value) => value === text);
  if (found === undefined) throw new Error(`--${flag} is one of ${known.join(', ')}, not ${text}`);
  return found;
}
