import type { JobSnapshot } from '../types/JobSnapshot.js';
import { RunpodError, type ErrorContext } from './RunpodError.js';

/** This client knew the job, and the service no longer does: its ttl or the retention of its result is over. */
export class JobExpiredError extends RunpodError {
  static override readonly brand = 'JobExpiredError';

  /** The job as it was last seen, where it was. */
  readonly snapshot?: JobSnapshot;

  constructor(context: ErrorContext, snapshot?: JobSnapshot) {
    super(
      'job_expired',
      `job ${context.jobId ?? '?'} is gone from the server: its ttl, or the time its result is kept (30 min after /run, 1 min after /runsync), is over`,
      context,
    );
    if (snapshot) this.snapshot = snapshot;
  }
}
