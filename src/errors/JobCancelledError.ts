import { RunpodError } from './RunpodError.js';
import type { CancelledSnapshot } from '../types/JobSnapshot.js';

/** The members of {@link JobCancelledError} besides those of every error. */
export interface JobCancelledErrorDetails {
  readonly snapshot: CancelledSnapshot;
}

/** The job was cancelled, by this client or elsewhere. */
export class JobCancelledError extends RunpodError<JobCancelledErrorDetails> {
  static override readonly brand = 'JobCancelledError';
  static override readonly code = 'job_cancelled';

  declare readonly snapshot: CancelledSnapshot;
}
