import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import { showLanes } from '../../src/progress/lanes.ts';
import { explain, pretend, pretendedImages } from './pretend.ts';

/**
 * A program that shows a pretended run on the terminal that it is started on: `show.ts [how] [images]
 * [pause in milliseconds] [lanes]`. Watch it after a change to the view; the tests run it in terminals of
 * their own.
 */
const [how = 'finish', images = '14', pause = '40', lanes = '7'] = process.argv.slice(2);
const HOLD_AT = 200;
const stream = how === 'stderr' ? process.stderr : process.stdout;
const view = showLanes({ stream, lanes: Number(lanes), explain });
const interrupted = new AbortController();
const { signal } = interrupted;
let heard = 0;

console.log(`before the first event, SIGINT has ${process.listenerCount('SIGINT')} listeners`);
process.once('SIGINT', () => interrupted.abort());

function listener(event: Parameters<typeof view.listener>[0]): void {
  view.listener(event);
  heard += 1;
  if (how === 'chatter' && heard % 25 === 0) console.error(`somebody else wrote line ${heard}`);
  if (how === 'throw' && heard === 60) throw new Error('thrown in the middle');
  if (how === 'exit' && heard === 60) process.exit(3);
}

// One key lets a run go on that holds.
const key = how === 'hold' ? once(process.stdin, 'data', { signal }) : undefined;
key?.catch(() => undefined);

try {
  await pretend(listener, {
    images: pretendedImages(Number(images)),
    workers: Number(lanes),
    steps: 6,
    pause: async () => {
      if (heard >= HOLD_AT) await key;
      await wait(Number(pause), undefined, { signal });
    },
  });
} catch (error) {
  if (!signal.aborted) throw error;
}
await view.stop();
process.stdin.unref();
console.log(signal.aborted ? 'interrupted and cleaned up' : 'finished');
