import { RunpodError } from './RunpodError.js';
import type { JobSnapshot } from '../types/JobSnapshot.js';

/** The members of {@link JobExpiredError} besides those of every error. */
export interface JobExpiredErrorDetails {
  /** The job's latest snapshot, where there was any. */
  readonly snapshot?: JobSnapshot | undefined;
}

/**
 * This client has known the job, and the service does not know it any more: the job's ttl is over, or the time for which
 * the service keeps its result.
 */
export class JobExpiredError extends RunpodError<JobExpiredErrorDetails> {
  static override readonly brand = 'JobExpiredError';
  static override readonly code = 'job_expired';

  declare readonly snapshot?: JobSnapshot;
}
