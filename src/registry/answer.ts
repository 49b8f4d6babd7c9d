import type { Dispatcher } from 'undici';

export type Headers = Readonly<Record<string, string | string[] | undefined>>;

/** An answer whose head has come; its body comes as fast as it is read. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: AsyncIterable<Uint8Array>;
  /** Reads the body off so that the connection can be used again; gives the connection up where that takes too long. */
  discard(): Promise<void>;
}

// So much may wait to be read before the connection is told to pause.
const WAITING_BYTES = 128 * 1024;
const DISCARD_BYTES = 128 * 1024;
const MOST_ANNOUNCEMENTS = 32;

/**
 * Sends one request and waits for the head of the answer. It takes what undici parsed without a stream in
 * between: a stream joins the pieces that wait, which copies them.
 */
export function ask(
  dispatcher: Dispatcher,
  request: Dispatcher.DispatchOptions,
  signal: AbortSignal | undefined,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    dispatcher.dispatch(request, new Receiver(signal, resolve, reject));
  });
}

class Receiver implements Dispatcher.DispatchHandler, Answer {
  readonly body: AsyncIterable<Uint8Array>;
  status = 0;
  headers: Headers = {};
  readonly #signal: AbortSignal | undefined;
  readonly #resolve: (answer: Answer) => void;
  readonly #reject: (error: unknown) => void;
  #controller: Dispatcher.DispatchController | undefined;
  readonly #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #announced = 0;
  #end: { readonly error?: unknown } | undefined;
  #wake: (() => void) | undefined;

  constructor(
    signal: AbortSignal | undefined,
    resolve: (answer: Answer) => void,
    reject: (error: unknown) => void,
  ) {
    this.#signal = signal;
    this.#resolve = resolve;
    this.#reject = reject;
    this.body = this.#read();
    signal?.addEventListener('abort', this.#abort);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#signal?.aborted) this.#abort();
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    headers: Headers,
  ): void {
    // 103 and its like announce the answer.
    if (status < 200) {
      this.#announced += 1;
      if (this.#announced > MOST_ANNOUNCEMENTS) controller.abort(new Error('it never answers'));
      return;
    }
    this.status = status;
    this.headers = headers;
    this.#resolve(this);
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Uint8Array): void {
    this.#waiting.push(chunk);
    this.#waitingBytes += chunk.byteLength;
    if (this.#waitingBytes >= WAITING_BYTES) controller.pause();
    this.#wake?.();
  }

  onResponseEnd(): void {
    this.#finish({});
  }

  onResponseError(_: unknown, error: unknown): void {
    this.#finish({ error });
    this.#reject(error);
  }

  async discard(): Promise<void> {
    let length = 0;
    try {
      for await (const chunk of this.body) {
        length += chunk.byteLength;
        if (length > DISCARD_BYTES) break;
      }
    } catch {
      // It is gone either way.
    }
  }

  readonly #abort = (): void => {
    // While a connection is being opened there is nothing to abort yet, and nobody waits for it any more.
    if (!this.#controller) this.#reject(this.#signal?.reason);
    this.#controller?.abort(this.#signal?.reason as Error);
  };

  #finish(end: { readonly error?: unknown }): void {
    this.#signal?.removeEventListener('abort', this.#abort);
    this.#end ??= end;
    this.#wake?.();
  }

  async *#read(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) {
        const chunk = this.#waiting.shift();
        if (chunk) {
          this.#waitingBytes -= chunk.byteLength;
          yield chunk;
        } else if (!this.#end) await this.#more();
        else if ('error' in this.#end) throw this.#end.error;
        else return;
      }
    } finally {
      if (!this.#end) this.#controller?.abort(new Error('nobody reads on'));
    }
  }

  #more(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
      // Resuming hands out what came meanwhile before it returns.
      this.#controller?.resume();
    });
  }
}
