import type { Ends } from '../../src/copy/ends.ts';
import type { Outcome } from '../../src/copy/events.ts';
import { openRegistries } from '../../src/registry/registry.ts';
import { task } from '../copy/corpus.ts';
import { copyTasks } from '../copy/run.ts';
import { startRegistry, type TestRegistry } from '../support/registry.ts';
import { diceOf } from './dice.ts';
import { someFaults } from './faults.ts';
import { type Published, publish } from './images.ts';
import { violations } from './invariant.ts';

/** Two registries that break, images that change, and runs between them. */
export interface World {
  /** One run among faults; it may be interrupted. */
  step(): Promise<void>;
  /** A run without faults: everything has to arrive. */
  finish(): Promise<void>;
  readonly figures: Figures;
  close(): Promise<void>;
}

export interface Figures {
  runs: number;
  interrupted: number;
  /** requests at the destination, after each of which the invariant was looked at */
  steps: number;
  faults: number;
  copied: number;
  skipped: number;
  failed: number;
}

const QUICK = { retries: 2, firstDelayMs: 1, maximumDelayMs: 3 };
const PATIENCE = { idleMs: 200, awayMs: 300 };
const DESTINATION = 'mirror';

/**
 * A world whose history follows from its seed, apart from what the system's scheduler adds.
 *
 * @throws {Error} in `step` and `finish`: the invariant does not hold; the message says what is wrong
 */
export async function openWorld(seed: number): Promise<World> {
  const dice = diceOf(seed);
  const resumable = dice.once(2);
  const source = await startRegistry();
  // It takes everything: what is right there, we made right.
  const destination = await startRegistry({ resumable, checkParts: false, checkDigests: false });
  const published = new Map<string, Published>();
  const figures: Figures = {
    ...{ runs: 0, interrupted: 0, steps: 0, faults: 0, copied: 0, skipped: 0, failed: 0 },
  };
  let broken: string | undefined;
  const allowed = () =>
    new Map([...published.values()].map((one) => [`${DESTINATION}/${nameOf(one)}`, one.digests]));
  const look = (): void => {
    const [line] = broken === undefined ? violations(destination.store, allowed()) : [];
    if (line !== undefined) broken = `seed ${seed}, run ${figures.runs}: ${line}`;
  };

  async function run(controller: AbortController): Promise<readonly Outcome[]> {
    const registries = openRegistries({
      ...{
        loginFor: async () => ({ origin: 'anonymous' }),
        settingsFor: () => ({ insecure: true }),
      },
      ...{ retry: QUICK, patience: PATIENCE },
    });
    const ends: Ends = {
      source: (name) => registries.open(name, 'pull'),
      destination: (name) => registries.open(name, 'push'),
    };
    const tasks = [...published.values()].map((one) =>
      task(`${source.host}/${nameOf(one)}`, `${destination.host}/${DESTINATION}/${nameOf(one)}`),
    );
    try {
      const options = { retries: dice.below(2), signal: controller.signal, ahead: dice.once(2) };
      const { outcomes } = await copyTasks(tasks, ends, options);
      return outcomes;
    } finally {
      await registries.close();
      await Promise.all([source.settle(), destination.settle()]);
    }
  }

  function tally(outcomes: readonly Outcome[]): void {
    figures.runs += 1;
    for (const { status } of outcomes) figures[status] += 1;
    figures.faults += source.faults.applied() + destination.faults.applied();
    for (const registry of [source, destination]) {
      registry.faults.clear();
      registry.log.clear();
    }
    look();
    if (broken !== undefined) throw new Error(broken);
  }

  return {
    figures,
    step: async () => {
      const changes = 1 + dice.below(3);
      for (let change = 0; change < changes; change += 1) await publish(source, published, dice);
      const controller = new AbortController();
      const last = dice.once(4) ? 1 + dice.below(60) : Number.POSITIVE_INFINITY;
      watch(destination, (count) => {
        figures.steps += 1;
        look();
        if (count === last) controller.abort();
      });
      source.faults.add(...someFaults(dice));
      destination.faults.add(...someFaults(dice));
      if (dice.once(5)) destination.store.uploads.clear();
      tally(await run(controller));
      if (controller.signal.aborted) figures.interrupted += 1;
    },
    finish: async () => {
      const outcomes = await run(new AbortController());
      tally(outcomes);
      for (const one of published.values()) checkArrival(one, destination, seed);
    },
    close: async () => void (await Promise.all([source.close(), destination.close()])),
  };
}

function nameOf({ repository, tag }: Published): string {
  return `${repository}:${tag}`;
}

/** Looks at every request before it is answered. */
function watch(registry: TestRegistry, onRequest: (count: number) => void): void {
  let count = 0;
  registry.faults.add({
    where: () => {
      count += 1;
      onRequest(count);
      return false;
    },
  });
}

function checkArrival({ repository, tag, digests }: Published, to: TestRegistry, seed: number) {
  const found = to.store.repositories.get(`${DESTINATION}/${repository}`)?.tags.get(tag);
  if (found !== digests.at(-1))
    throw new Error(`seed ${seed}: ${repository}:${tag} is ${found} and not ${digests.at(-1)}`);
}

/** Runs one world to its end. */
export async function liveOnce(seed: number, runs: number): Promise<Figures> {
  const world = await openWorld(seed);
  try {
    for (let run = 0; run < runs; run += 1) await world.step();
    await world.finish();
    return world.figures;
  } finally {
    await world.close();
  }
}
