import { RunpodError } from './RunpodError.js';
import type { FailedSnapshot } from '../types/JobSnapshot.js';

/** What a {@link JobFailedError} says. */
export interface JobFailedErrorDetails {
  readonly snapshot: FailedSnapshot;
}

/** The job failed; `snapshot.error` holds the cause. */
export class JobFailedError extends RunpodError<JobFailedErrorDetails> {
  static override readonly brand = 'JobFailedError';
  static override readonly code = 'job_failed';

  declare readonly snapshot: FailedSnapshot;
}
