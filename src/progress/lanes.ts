import { styleText } from 'node:util';
import {
  Listr,
  type ListrEventManager,
  ListrEventType,
  type ListrTaskWrapper,
  Spinner,
} from 'listr2';
import type { Task } from '../copy/task.ts';
import { detour } from './detour.ts';
import { type Explain, formatLine, type Line, lineOf, type Reporter } from './lines.ts';
import { laneRow, totalRow } from './row.ts';
import { openScreen, type Screen } from './screen.ts';
import { openSlots, type Slots } from './slots.ts';
import { startTally, type TallyView } from './tally.ts';
import { columnsOf, direct, sharers } from './terminal.ts';

const FRAME_MS = 100;
const MARGIN = '  ';
const COLORS = { copied: 'green', skipped: 'dim', failed: 'red', retry: 'yellow' } as const;

export interface LanesOptions {
  /** standard output or standard error, when it is a terminal */
  readonly stream: NodeJS.WriteStream;
  /** how many images are in flight at most */
  readonly lanes: number;
  readonly explain: Explain;
}

/**
 * Draws a run on a terminal: one lane for each image in flight, a row for the whole, and above them one
 * line for each finished image, which stays. What others write to the terminal meanwhile stands above too.
 *
 * {@link Reporter.stop} leaves the terminal clean; a process that ends without it leaves the last frame and
 * a visible cursor. Signals are the caller's.
 */
export function showLanes({ stream, lanes, explain }: LanesOptions): Reporter {
  const screen = openScreen(direct(stream));
  const tally = startTally();
  const slots = openSlots<Task>(lanes);
  const spinner = new Spinner();
  const list = startList(lanes + 1, screen);
  const release = detour(sharers(stream), screen.above);
  const timer = setInterval(paint, FRAME_MS).unref();
  const abandon = () => {
    release();
    screen.abandon();
  };
  process.once('exit', abandon);
  let begun = false;
  let stopped: Promise<void> | undefined;

  function paint(): void {
    if (!begun) return;
    const view = tally.view(performance.now());
    const width = columnsOf(stream) - MARGIN.length;
    spinner.spin();
    const turning = styleText('cyan', spinner.fetch(), { stream });
    list.retitle([...laneRows(view, slots, width), `${turning} ${totalRow(view, width)}`]);
  }

  async function stop(): Promise<void> {
    clearInterval(timer);
    release();
    await list.end();
    process.off('exit', abandon);
  }

  return {
    listener(event) {
      if (stopped) return;
      begun = true;
      tally.note(event, performance.now());
      const line = lineOf(event, explain);
      if (line) screen.above(colored(line, formatLine(line, columnsOf(stream)), stream));
    },
    stop: () => (stopped ??= stop()),
  };
}

/** An image that waits for its next try gives its lane to one that works. */
function laneRows(view: TallyView, slots: Slots<Task>, width: number) {
  const flights = new Map(view.flights.map((flight) => [flight.task, flight]));
  const working = view.flights.filter(({ retry }) => !retry);
  const waiting = view.flights.filter(({ retry }) => retry);
  return slots.arrange([...working, ...waiting].map(({ task }) => task)).map((task) => {
    const flight = task && flights.get(task);
    return flight && MARGIN + laneRow(flight, width);
  });
}

interface LaneList {
  /** @param titles - one for each lane; a lane without title is not shown */
  retitle(titles: readonly (string | undefined)[]): void;
  end(): Promise<void>;
}

/** listr2 tasks that do nothing but carry a title: who copies what and when is not listr2's to decide. */
function startList(count: number, screen: Screen): LaneList {
  let finish = () => {};
  const ending = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const lanes = new Map<
    number,
    ListrTaskWrapper<unknown, typeof LaneRenderer, typeof LaneRenderer>
  >();
  const list = new Listr<unknown, typeof LaneRenderer, typeof LaneRenderer>(
    Array.from({ length: count }, (_, index) => ({
      task: (_context, lane) => {
        lanes.set(index, lane);
        return ending;
      },
    })),
    {
      renderer: LaneRenderer,
      rendererOptions: { screen },
      concurrent: true,
      exitOnError: false,
      // listr2's own handler would end the process before the copy has cleaned up.
      registerSignalListeners: false,
    },
  );
  const running = list.run();
  return {
    retitle(titles) {
      for (const [index, lane] of lanes) {
        const title = titles[index];
        if (lane.title !== title) lane.title = title ?? null;
      }
    },
    async end() {
      finish();
      await running;
    },
  };
}

/**
 * Draws the titles of a list on a screen, all changes of one moment in one frame.
 *
 * listr2's default renderer cannot serve here: it looks for a terminal on standard output alone, draws anew
 * for every single title, keeps back what others write until the end, breaks when the window becomes
 * narrower, and its cursor library listens to signals.
 */
class LaneRenderer {
  // Whether there is a terminal was decided before; listr2 would look at standard output.
  static readonly nonTTY = true;
  static readonly rendererTaskOptions: Record<string, never> = {};
  static rendererOptions: { readonly screen: Screen };

  readonly #lanes: readonly { readonly title?: string }[];
  readonly #screen: Screen;
  readonly #events: ListrEventManager | undefined;
  #due = false;

  constructor(
    lanes: readonly { readonly title?: string }[],
    options: typeof LaneRenderer.rendererOptions,
    events?: ListrEventManager,
  ) {
    this.#lanes = lanes;
    this.#screen = options.screen;
    this.#events = events;
  }

  render(): void {
    this.#events?.on(ListrEventType.SHOULD_REFRESH_RENDER, this.#refresh);
  }

  end(): void {
    this.#events?.off(ListrEventType.SHOULD_REFRESH_RENDER, this.#refresh);
    this.#due = false;
    this.#screen.close();
  }

  readonly #refresh = (): void => {
    if (this.#due) return;
    this.#due = true;
    queueMicrotask(() => this.#draw());
  };

  #draw(): void {
    if (!this.#due) return;
    this.#due = false;
    const rows = this.#lanes.map(({ title }) => title).filter((title) => title !== undefined);
    if (rows.length > 0) this.#screen.draw(rows);
  }
}

function colored({ status }: Line, text: string, stream: NodeJS.WriteStream): string {
  const colored = styleText(COLORS[status], text.slice(0, status.length), { stream });
  return colored + text.slice(status.length);
}
