/** How many workers are in which state, in the words of `/health`. */
export interface WorkerCounts {
  readonly idle: number;
  readonly initializing: number;
  readonly running: number;
}

/** Some workers of an endpoint. To its queue all are alike: those of this process, and those behind a network. */
export interface WorkerPool {
  counts(): WorkerCounts;
  /** The ids of those that have started, busy or not. */
  ready(): readonly string[];
  /** Takes no more work, and stops what goes on. */
  close(): void;
}

/** Several pools as one. */
export function allOf(pools: readonly WorkerPool[]): WorkerPool {
  return {
    counts: () => {
      const all = pools.map((pool) => pool.counts());
      const sum = (state: keyof WorkerCounts): number => all.reduce((total, counts) => total + counts[state], 0);
      return { idle: sum('idle'), initializing: sum('initializing'), running: sum('running') };
    },
    ready: () => pools.flatMap((pool) => pool.ready()),
    close: () => {
      for (const pool of pools) pool.close();
    },
  };
}
