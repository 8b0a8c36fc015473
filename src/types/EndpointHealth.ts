/** The counts of an endpoint's jobs in an answer of `/health`. */
export interface HealthJobs {
  readonly completed: number;
  readonly failed: number;
  readonly inProgress: number;
  readonly inQueue: number;
  readonly retried: number;
}

/** The counts of an endpoint's workers. `ready` overlaps `idle`, so the sum can exceed the number of workers. */
export interface HealthWorkers {
  readonly idle: number;
  readonly running: number;
  readonly initializing?: number;
  readonly ready?: number;
  readonly throttled?: number;
  readonly unhealthy?: number;
}

/** An endpoint's counts of jobs and workers at one moment. */
export interface EndpointHealth {
  readonly jobs: HealthJobs;
  readonly workers: HealthWorkers;
  /** The whole answer, as the service sent it. */
  readonly raw: Readonly<Record<string, unknown>>;
}
