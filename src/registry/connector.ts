import type { Socket } from 'node:net';
import { buildConnector } from 'undici';
import { closeSlab, giveBack, isLent, lend, roomFor, type Slab } from './slab.ts';

export type ConnectOptions = buildConnector.BuildOptions;

// The head of an answer ends within the first 16 KiB: undici accepts no longer one.
const HEAD_BYTES = 64 * 1024;

/**
 * Opens connections that receive into memory used again and again. Node gives each read of a socket 64 KiB of
 * fresh memory, and those cost more than all else that is done to the bytes of a blob.
 */
export function connector(options: ConnectOptions): buildConnector.connector {
  let session: Buffer | undefined;
  return (target, callback) => {
    const inlet = new Inlet();
    // HTTP/1.1 only: HTTP/2 would put all blobs on one connection, and behind its window.
    const settings = { ...options, allowH2: false, session, onread: inlet.onread };
    const connect = buildConnector(settings as ConnectOptions);
    connect(target, (...[error, socket]) => {
      if (error) return callback(error, null);
      inlet.attach(socket);
      socket.on('session', (latest: Buffer) => {
        session = latest;
      });
      callback(null, socket);
    });
  };
}

/**
 * The receiving half of a connection. What may hold the head of an answer is copied, since the parser keeps
 * pieces of it; the bytes behind it are a body's, and are lent from a slab until the connection that they are
 * written to has sent them.
 */
class Inlet {
  readonly #heads = Buffer.allocUnsafeSlow(HEAD_BYTES);
  readonly #waiting: Uint8Array[] = [];
  /** bytes received since something was sent */
  #received = 0;
  #slab: Slab | undefined;
  #socket: Socket | undefined;
  #stopped = false;

  /** For `net.connect` and `tls.connect`: where to put the next bytes, and what came. */
  readonly onread = {
    buffer: (): Uint8Array => this.#room(),
    callback: (count: number, room: Uint8Array): boolean => this.#take(count, room),
  };

  /** Makes a socket give out what was received, and give back what was sent, behind undici's back. */
  attach(socket: Socket): void {
    const read = socket.read.bind(socket);
    const write = socket.write.bind(socket) as (...args: unknown[]) => boolean;
    this.#socket = socket;
    Object.assign(socket, {
      // A read of nothing is Node's own way to find the end.
      read: (size?: number) => (size === 0 ? read(0) : (this.#next() ?? read())),
      unshift: (chunk: Uint8Array) => {
        if (chunk.byteLength > 0) this.#waiting.unshift(chunk);
      },
      write: (chunk: Uint8Array | string, encoding?: BufferEncoding, done?: () => void) => {
        this.#received = 0;
        if (typeof chunk === 'string' || !isLent(chunk)) return write(chunk, encoding, done);
        return write(chunk, encoding, (error?: Error | null) => {
          // Of memory whose bytes were not sent nobody knows who still reads it.
          if (!error) giveBack(chunk);
          done?.();
        });
      },
    });
    socket.on('close', () => {
      if (this.#slab) closeSlab(this.#slab);
    });
  }

  #room(): Uint8Array {
    if (this.#received < HEAD_BYTES) return this.#heads;
    this.#slab = roomFor(this.#slab);
    return this.#slab.memory.subarray(this.#slab.filled);
  }

  // What was offered while a body came may be filled by the head of the next answer.
  #take(count: number, room: Uint8Array): boolean {
    const isBody = this.#received >= HEAD_BYTES;
    const chunk =
      isBody && this.#slab && room.buffer === this.#slab.memory.buffer
        ? lend(this.#slab, count)
        : new Uint8Array(room.subarray(0, count));
    this.#received += count;
    this.#waiting.push(chunk);
    this.#socket?.emit('readable');
    this.#stopped = this.#waiting.length > 0;
    return !this.#stopped;
  }

  #next(): Uint8Array | undefined {
    const chunk = this.#waiting.shift();
    if (chunk === undefined && this.#stopped) {
      this.#stopped = false;
      this.#socket?._read(0);
    }
    return chunk;
  }
}
