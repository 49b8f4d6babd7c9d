import { classify, type RequestRecord } from './registry-log.ts';

// Apache's combined log, as gorilla/handlers writes it.
const LINE = /^\S+ - \S+ \[[^\]]*\] "([A-Z]+) (\S+) HTTP\/[\d.]+" (\d+) (\d+) "(?:.*?)" "(.*?)"$/;

/** One request out of distribution's access log; undefined for a line of another kind. */
export function logLine(line: string): RequestRecord | undefined {
  const [, method, target, status, bytes, agent] = LINE.exec(line) ?? [];
  if (method === undefined || target === undefined) return undefined;
  const { pathname, searchParams } = new URL(target, 'http://localhost');
  return {
    method,
    class: classify(pathname, searchParams),
    path: pathname,
    query: searchParams,
    headers: { 'user-agent': agent },
    status: Number(status),
    bytesIn: 0,
    bytesOut: Number(bytes),
  };
}
