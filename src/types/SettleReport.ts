import type { JobRef } from './JobRef.js';

/** What became of the jobs that were left. */
export interface SettleReport {
  /** Cancelled on the server. */
  readonly cancelled: readonly JobRef[];
  /** Over before the cancel reached them, or gone from the server. */
  readonly finished: readonly JobRef[];
  /** Not cancelled: the server refused or could not be reached for ten minutes. They may still run, and cost. */
  readonly abandoned: readonly JobRef[];
}
