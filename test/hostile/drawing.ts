import type { TestContext } from 'node:test';
import { eventually, setUp } from '../commands/move.ts';
import { openPane, type Pane } from '../progress/pane.ts';
import { pushImage } from '../support/images.ts';
import { type Environment, findProgram } from '../support/process.ts';

export const TMUX = {
  name: 'tmux',
  found: findProgram('tmux') !== undefined,
  remedy: 'install tmux (apt-get install tmux)',
};

/** A copy in a terminal, with lanes that stand still. */
export interface Drawing {
  readonly pane: Pane;
  /** Sends a signal to the program itself. */
  signal(name: NodeJS.Signals): Promise<void>;
  /** How the terminal is set when all is over: what a program in raw mode would have changed. */
  settings(): Promise<readonly string[]>;
}

// The pane itself switches the echo off.
const SETTINGS = { echo: 'echo', icanon: 'canonical', isig: 'signals' } as const;

/** Starts a copy that stalls in the middle of a layer, and waits until it is drawn. */
export async function drawing(context: TestContext, more: Environment = {}): Promise<Drawing> {
  const { source, destination, desk } = await setUp(context);
  await pushImage(source, { repository: 'team/app', tag: 'v1', layerSize: 300_000 });
  const stall = { class: 'blob', method: 'GET', stallAfter: 100_000 } as const;
  source.faults.add(stall);
  const rule = { [`${source.host}/team/app:v1`]: `${destination.host}/moved/app` };
  await desk.write('images.json', JSON.stringify(rule));
  const words = ['sh', '-c', 'echo $$ > pid; exec "$@"', 'sh'];
  const [enter, command] = desk.shellCommand(['copy'], more).split('; ', 2);
  const quoted = words.map((word) => `'${word}'`).join(' ');
  const pane = openPane(80, 24, `${enter}; ${quoted} ${command}; code=$?; stty -a; (exit $code)`);
  context.after(() => pane.close());
  await eventually(() => source.faults.applied(stall) > 0);
  await pane.until(/^ {2}\S*team\/app/);
  return {
    pane,
    signal: async (name) => void process.kill(Number(await desk.read('pid')), name),
    settings: async () => {
      const text = (await pane.until(/icanon/)).join('\n');
      return Object.entries(SETTINGS).map(
        ([name, meaning]) =>
          `${meaning} ${new RegExp(`(?<!-)\\b${name}\\b`).test(text) ? 'on' : 'off'}`,
      );
    },
  };
}
