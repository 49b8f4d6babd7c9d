type Ending = () => Promise<unknown>;

/** What has been started and must end with the benchmark, however that ends. */
export interface Lifetime {
  /** Remembers how to end something; gives a function that ends it now, once. */
  add(ending: Ending): () => Promise<void>;
  /** Ends all that is left, the youngest first. */
  end(): Promise<void>;
}

export function openLifetime(): Lifetime {
  const endings = new Set<Ending>();
  const finish = async (ending: Ending) => {
    if (endings.delete(ending)) await ending();
  };
  return {
    add: (ending) => {
      endings.add(ending);
      return () => finish(ending);
    },
    end: async () => {
      // One that fails must not keep the others.
      for (const ending of [...endings].reverse()) await finish(ending).catch(report);
    },
  };
}

function report(error: unknown): void {
  console.error(`could not clean up: ${error instanceof Error ? error.message : error}`);
}
