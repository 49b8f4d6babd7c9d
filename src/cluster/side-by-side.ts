/**
 * Works on all items, a few at a time, and gives the results in their order. The first failure stops the
 * others through their signal; they have ended when it is thrown.
 */
export async function sideBySide<Item, Result>(
  items: readonly Item[],
  width: number,
  work: (item: Item, signal: AbortSignal) => Promise<Result>,
  signal?: AbortSignal,
): Promise<Result[]> {
  const stop = new AbortController();
  const either = AbortSignal.any(signal ? [signal, stop.signal] : [stop.signal]);
  const queue = items.entries();
  const results: Result[] = [];
  const worker = async () => {
    // The iterator is shared: each item goes to the worker that asks first.
    for (const [index, item] of queue) results[index] = await work(item, either);
  };
  const workers = Array.from({ length: width }, () =>
    worker().catch((error: unknown) => stop.abort(error)),
  );
  await Promise.all(workers);
  if (stop.signal.aborted) throw stop.signal.reason;
  return results;
}
