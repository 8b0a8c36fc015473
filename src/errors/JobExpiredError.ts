import { RunpodError } from './RunpodError.js';
import type { JobSnapshot } from '../types/JobSnapshot.js';

/** What a {@link JobExpiredError} says. */
export interface JobExpiredErrorDetails {
  /** The job as it was last seen, where it was. */
  readonly snapshot?: JobSnapshot | undefined;
}

/** This client knew the job, and the service no longer does: its ttl or the retention of its result is over. */
export class JobExpiredError extends RunpodError<JobExpiredErrorDetails> {
  static override readonly brand = 'JobExpiredError';
  static override readonly code = 'job_expired';

  declare readonly snapshot?: JobSnapshot;
}
