import { RunpodError } from './RunpodError.js';
import type { TimedOutSnapshot } from '../types/JobSnapshot.js';

/** What a {@link JobTimedOutError} says. */
export interface JobTimedOutErrorDetails {
  readonly snapshot: TimedOutSnapshot;
}

/** The service gave the job up: it expired in the queue, or its worker stopped reporting. */
export class JobTimedOutError extends RunpodError<JobTimedOutErrorDetails> {
  static override readonly brand = 'JobTimedOutError';
  static override readonly code = 'job_timed_out';

  declare readonly snapshot: TimedOutSnapshot;
}
