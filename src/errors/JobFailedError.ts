import { RunpodError } from './RunpodError.js';
import type { FailedSnapshot } from '../types/JobSnapshot.js';

/** The members of {@link JobFailedError} besides those of every error. */
export interface JobFailedErrorDetails {
  readonly snapshot: FailedSnapshot;
}

/** The job failed; `snapshot.error` says why. */
export class JobFailedError extends RunpodError<JobFailedErrorDetails> {
  static override readonly brand = 'JobFailedError';
  static override readonly code = 'job_failed';

  declare readonly snapshot: FailedSnapshot;
}
