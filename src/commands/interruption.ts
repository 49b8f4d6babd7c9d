import { constants } from 'node:os';

export interface Interruption {
  readonly signal: AbortSignal;
  /** Hands the signals back to the process. */
  release(): void;
}

// A terminal that is closed sends SIGHUP.
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
// A terminal and a parent process may both hand on the same Ctrl-C.
const SAME_PRESS_MS = 300;

/** Turns the first SIGINT, SIGTERM or SIGHUP into an aborted signal; a second one, later, ends the process at once. */
export function interruption(): Interruption {
  const controller = new AbortController();
  let pressedAt = 0;
  const onSignal = () => {
    if (!controller.signal.aborted) {
      pressedAt = performance.now();
      controller.abort();
    } else if (performance.now() - pressedAt > SAME_PRESS_MS) {
      process.exit(128 + constants.signals.SIGINT);
    }
  };
  // Ctrl-\\ asks for an end at once; what is drawn is put in order at the exit of the process.
  const onQuit = () => process.exit(128 + constants.signals.SIGQUIT);
  for (const name of SIGNALS) process.on(name, onSignal);
  process.on('SIGQUIT', onQuit);
  return {
    signal: controller.signal,
    release: () => {
      for (const name of SIGNALS) process.off(name, onSignal);
      process.off('SIGQUIT', onQuit);
    },
  };
}
