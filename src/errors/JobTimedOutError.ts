import { RunpodError } from './RunpodError.js';
import type { TimedOutSnapshot } from '../types/JobSnapshot.js';

/** The members of {@link JobTimedOutError} besides those of every error. */
export interface JobTimedOutErrorDetails {
  readonly snapshot: TimedOutSnapshot;
}

/** The service gave up on the job: it expired in the queue, or its worker stopped reporting. */
export class JobTimedOutError extends RunpodError<JobTimedOutErrorDetails> {
  static override readonly brand = 'JobTimedOutError';
  static override readonly code = 'job_timed_out';

  declare readonly snapshot: TimedOutSnapshot;
}
