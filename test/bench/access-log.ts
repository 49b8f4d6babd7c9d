import { logLine } from '../support/distribution-log.ts';
import { UNLOGGED_AGENT } from '../support/registry-log.ts';

/** What a registry's log tells of the time in which a tool ran. */
export interface Traffic {
  readonly requests: number;
  /** requests by `METHOD class status`, such as `HEAD manifest 200` */
  readonly classes: Readonly<Record<string, number>>;
  /** bytes of the bodies of all answers to GET */
  readonly bodyBytes: number;
  /** how many connections carried them */
  readonly connections: number;
}

// Distribution's structured line names the port of the client, which the access line beside it leaves out.
const REMOTE = / http\.request\.remoteaddr="([^"]+)"/;

/** Reads the access lines and the structured lines of distribution's log; the benchmark's own requests do not count. */
export function readTraffic(log: string): Traffic {
  const classes = new Map<string, number>();
  const remotes = new Set<string>();
  let requests = 0;
  let bodyBytes = 0;
  for (const line of log.split('\n')) {
    if (line.includes(UNLOGGED_AGENT)) continue;
    const remote = REMOTE.exec(line)?.[1];
    if (remote !== undefined) remotes.add(remote);
    const record = logLine(line);
    if (!record) continue;
    requests += 1;
    // A HEAD is logged with the length that a GET would have had.
    if (record.method === 'GET') bodyBytes += record.bytesOut;
    const key = `${record.method} ${record.class} ${record.status}`;
    classes.set(key, (classes.get(key) ?? 0) + 1);
  }
  const sorted = [...classes].sort(([first], [second]) => (first < second ? -1 : 1));
  return { requests, classes: Object.fromEntries(sorted), bodyBytes, connections: remotes.size };
}
