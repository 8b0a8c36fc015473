/** The limits of one operation of one endpoint. */
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
   * Requests per window for each running worker, where their sum is more than `requests`. The client learns from answers
   * of `/health` how many workers run, and goes by that number for a minute.
   * @defaultValue 0
   */
  readonly perWorker?: number;
}

/** Limits by operation, such as `{ run: { requests: 100, concurrent: 20 } }`. An operation without a row has no limits. */
export type Limits = Readonly<Record<string, OperationLimits>>;
