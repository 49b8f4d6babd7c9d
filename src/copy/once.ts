/** Runs work once for each key: whoever comes while it runs, or later, gets the same result. Failures are forgotten. */
export class Once<Result> {
  readonly #runs = new Map<string, Promise<Result>>();

  run(key: string, work: () => Promise<Result>): Promise<Result> {
    const known = this.#runs.get(key);
    if (known) return known;
    const run = work().catch((error: unknown) => {
      this.#runs.delete(key);
      throw error;
    });
    this.#runs.set(key, run);
    return run;
  }

  /** Makes the next run of a key a new one. */
  forget(key: string): void {
    this.#runs.delete(key);
  }
}
