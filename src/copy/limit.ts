/** Runs work when there is room for it. p-limit fits; so does `(work) => work()`. */
export type Limit = <Result>(work: () => Promise<Result>) => Promise<Result>;

/** A limit that says for how many there is room. */
export type Room = Limit & { readonly count: number };
