/** The number of workers in each state, in the words of `/health`. */
export interface WorkerCounts {
  readonly idle: number;
  readonly initializing: number;
  readonly running: number;
  readonly unhealthy: number;
}

/** Some workers of an endpoint: the workers of this process, the workers of other processes, or both. */
export interface WorkerPool {
  counts(): WorkerCounts;
  /** The ids of the workers that have started, busy or idle. */
  ready(): readonly string[];
  /** Takes no more jobs, and stops the running work. */
  close(): void;
}

/** Joins several pools into one. */
export function allOf(pools: readonly WorkerPool[]): WorkerPool {
  return {
    counts: () => {
      const all = pools.map((pool) => pool.counts());
      const sum = (state: keyof WorkerCounts): number => all.reduce((total, counts) => total + counts[state], 0);
      return {
        idle: sum('idle'),
        initializing: sum('initializing'),
        running: sum('running'),
        unhealthy: sum('unhealthy'),
      };
    },
    ready: () => pools.flatMap((pool) => pool.ready()),
    close: () => {
      for (const pool of pools) pool.close();
    },
  };
}
