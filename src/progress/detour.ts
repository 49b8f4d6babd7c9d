import type { Writable } from 'node:stream';

/**
 * Leads what anybody else writes to these streams to `onText`, whole lines at a time, until the returned
 * function is called. What is drawn in place would be torn by text that comes between.
 */
export function detour(streams: readonly Writable[], onText: (text: string) => void): () => void {
  const releases = [...new Set(streams)].map((stream) => detourOne(stream, onText));
  return () => {
    for (const release of releases) release();
  };
}

function detourOne(stream: Writable, onText: (text: string) => void): () => void {
  const own = Object.getOwnPropertyDescriptor(stream, 'write');
  const decoder = new TextDecoder();
  let unfinished = '';
  const write = (
    chunk: string | Uint8Array,
    encoding?: BufferEncoding | ((error?: Error | null) => void),
    callback?: (error?: Error | null) => void,
  ): boolean => {
    const text = unfinished + textOf(chunk, encoding);
    const end = text.lastIndexOf('\n') + 1;
    unfinished = text.slice(end);
    if (end > 0) onText(text.slice(0, end));
    const done = typeof encoding === 'function' ? encoding : callback;
    if (done) process.nextTick(done);
    return true;
  };

  function textOf(chunk: string | Uint8Array, encoding: unknown): string {
    if (typeof chunk !== 'string') return decoder.decode(chunk, { stream: true });
    const plain = typeof encoding !== 'string' || /^utf-?8$/i.test(encoding);
    return plain ? chunk : Buffer.from(chunk, encoding as BufferEncoding).toString();
  }

  stream.write = write as Writable['write'];
  return () => {
    if (stream.write !== write) return;
    if (own) Object.defineProperty(stream, 'write', own);
    else Reflect.deleteProperty(stream, 'write');
    if (unfinished) onText(unfinished);
    unfinished = '';
  };
}
