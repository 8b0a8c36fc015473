import { RunpodError } from './RunpodError.js';
import type { JobSnapshot } from '../types/JobSnapshot.js';

/** The members of {@link JobDeadlineError} besides those of every error. */
export interface JobDeadlineErrorDetails {
  /** The limit that was exceeded. */
  readonly limit: 'queue' | 'execution' | 'total';
  /** Whether the client or the service enforced the limit. */
  readonly by: 'client' | 'server';
  /** The job's latest snapshot, where there was any. */
  readonly snapshot?: JobSnapshot | undefined;
}

/** The job exceeded one of its time limits. */
export class JobDeadlineError extends RunpodError<JobDeadlineErrorDetails> {
  static override readonly brand = 'JobDeadlineError';
  static override readonly code = 'job_deadline';

  declare readonly limit: 'queue' | 'execution' | 'total';
  declare readonly by: 'client' | 'server';
  declare readonly snapshot?: JobSnapshot;
}
