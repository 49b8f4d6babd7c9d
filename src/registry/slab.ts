/** A piece of memory that received bytes stand in until they are sent on, and that is used again then. */
export interface Slab {
  readonly memory: Uint8Array;
  /** bytes in use, from the beginning on */
  filled: number;
  /** bytes that were handed out and not given back */
  lent: number;
  /** whether more may be received into it */
  open: boolean;
}

const SLAB_BYTES = 256 * 1024;
// Less room than this makes for short reads.
const LEAST_ROOM = 64 * 1024;
// More than so many that wait to be used again are left to the garbage collector.
const IDLE_SLABS = 32;

const slabs = new WeakMap<ArrayBufferLike, Slab>();
const idle: Slab[] = [];

/**
 * The room for the next read: behind what was received into the slab, from its beginning once all of that was
 * given back, or in another one.
 */
export function roomFor(current: Slab | undefined): Slab {
  if (current?.lent === 0) current.filled = 0;
  if (current && SLAB_BYTES - current.filled >= LEAST_ROOM) return current;
  if (current) closeSlab(current);
  const next = idle.pop() ?? newSlab();
  next.open = true;
  return next;
}

/** Hands out the bytes that were just received. */
export function lend(slab: Slab, count: number): Uint8Array {
  const chunk = slab.memory.subarray(slab.filled, slab.filled + count);
  slab.filled += count;
  slab.lent += count;
  return chunk;
}

/** Whether a chunk was lent from a slab. */
export function isLent(chunk: Uint8Array): boolean {
  return slabs.has(chunk.buffer);
}

/** Lends bytes once more, to somebody else or for a second time; of others than a slab's it does nothing. */
export function retain(chunk: Uint8Array): void {
  const slab = slabs.get(chunk.buffer);
  if (slab) slab.lent += chunk.byteLength;
}

/**
 * Takes bytes back that one of those who had them reads no more. It counts bytes, not chunks, so that a chunk that was
 * cut or never came back keeps its slab from being used again; the garbage collector has it then.
 */
export function giveBack(chunk: Uint8Array): void {
  const slab = slabs.get(chunk.buffer);
  if (!slab) return;
  slab.lent -= chunk.byteLength;
  if (!slab.open) retire(slab);
}

/** Nothing more is received into it. */
export function closeSlab(slab: Slab): void {
  slab.open = false;
  retire(slab);
}

function retire(slab: Slab): void {
  if (slab.lent > 0 || idle.length >= IDLE_SLABS) return;
  slab.filled = 0;
  idle.push(slab);
}

function newSlab(): Slab {
  const memory = new Uint8Array(SLAB_BYTES);
  const slab = { memory, filled: 0, lent: 0, open: true };
  slabs.set(memory.buffer, slab);
  return slab;
}
