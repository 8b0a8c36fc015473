import type { JobRef } from './JobRef.js';

/** What became of the jobs that the client was to cancel because they were unsubscribed from. */
export interface SettleReport {
  /** The service cancelled them. */
  readonly cancelled: readonly JobRef[];
  /** They were over before the cancel reached the service, or the service does not know them any more. */
  readonly finished: readonly JobRef[];
  /** Not cancelled: the service refused, or could not be reached for ten minutes. They may still run, and cost. */
  readonly abandoned: readonly JobRef[];
}
