/** Runs work when there is room for it. p-limit fits; so does `(work) => work()`. */
export type Limit = <Result>(work: () => Promise<Result>) => Promise<Result>;
