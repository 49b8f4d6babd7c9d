/** Runs work once for each key: whoever comes while it runs, or later, gets the same result. Failures are forgotten. */
export class Once<Result> {
  readonly #runs = new Map<string, Promise<Result>>();
  readonly #remembered: number;

  /** @param remembered - how many keys are kept; the oldest are forgotten */
  constructor(remembered = Number.POSITIVE_INFINITY) {
    this.#remembered = remembered;
  }

  run(key: string, work: () => Promise<Result>): Promise<Result> {
    const known = this.#runs.get(key);
    if (known) return known;
    const run = work().catch((error: unknown) => {
      if (this.#runs.get(key) === run) this.#runs.delete(key);
      throw error;
    });
    this.#runs.set(key, run);
    if (this.#runs.size > this.#remembered) this.#forgetOldest();
    return run;
  }

  /**
   * The same for work that may fail for one and go well for another: a failure is that of whoever did the
   * work, and those who waited try for themselves, one after the other.
   */
  async share(key: string, work: () => Promise<Result>): Promise<Shared<Result>> {
    for (;;) {
      let mine = false;
      try {
        const result = await this.run(key, () => {
          mine = true;
          return work();
        });
        return { result, mine };
      } catch (error) {
        if (mine) throw error;
      }
    }
  }

  #forgetOldest(): void {
    for (const oldest of this.#runs.keys()) {
      this.#runs.delete(oldest);
      return;
    }
  }
}

export interface Shared<Result> {
  readonly result: Result;
  /** whether the work was done for this call */
  readonly mine: boolean;
}
