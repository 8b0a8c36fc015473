import { RunpodError } from './RunpodError.js';
import type { JobSnapshot } from '../types/JobSnapshot.js';

/** What a {@link JobDeadlineError} says. */
export interface JobDeadlineErrorDetails {
  /** Which limit was passed. */
  readonly limit: 'queue' | 'execution' | 'total';
  /** Who enforced it. */
  readonly by: 'client' | 'server';
  /** The job as it was last seen, where it was. */
  readonly snapshot?: JobSnapshot | undefined;
}

/** The job took longer than it was allowed to. */
export class JobDeadlineError extends RunpodError<JobDeadlineErrorDetails> {
  static override readonly brand = 'JobDeadlineError';
  static override readonly code = 'job_deadline';

  declare readonly limit: 'queue' | 'execution' | 'total';
  declare readonly by: 'client' | 'server';
  declare readonly snapshot?: JobSnapshot;
}
