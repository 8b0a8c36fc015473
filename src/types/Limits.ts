/** The bound on one operation of one endpoint. */
export interface OperationLimits {
  /** Requests per window. */
  readonly requests?: number;
  /**
   * The window in milliseconds.
   * @defaultValue 10 000
   */
  readonly per?: number;
  /** Requests in flight at once. */
  readonly concurrent?: number;
  /**
   * Requests per window for each running worker, where that makes more than `requests`. How many run is known from
   * `/health`, for a minute after each answer.
   * @defaultValue 0
   */
  readonly perWorker?: number;
}

/** Bounds by operation, such as `{ run: { requests: 100, concurrent: 20 } }`; operations not named are not bounded. */
export type Limits = Readonly<Record<string, OperationLimits>>;
