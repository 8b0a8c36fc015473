import type { FailedSnapshot } from '../types/JobSnapshot.js';
import { RunpodError, type ErrorContext } from './RunpodError.js';

/** The job took longer than it was allowed to. */
export class JobDeadlineError extends RunpodError {
  static override readonly brand = 'JobDeadlineError';

  /** Which limit was passed. */
  readonly limit: 'queue' | 'execution' | 'total';
  /** Who enforced it. */
  readonly by: 'client' | 'server';
  /** The job as it was last seen, where it was. */
  readonly snapshot?: FailedSnapshot;

  constructor(
    limit: 'queue' | 'execution' | 'total',
    by: 'client' | 'server',
    context: ErrorContext,
    snapshot?: FailedSnapshot,
  ) {
    super(
      'job_deadline',
      `job ${context.jobId ?? '?'} exceeded its ${limit} time and was stopped by the ${by}`,
      context,
    );
    this.limit = limit;
    this.by = by;
    if (snapshot) this.snapshot = snapshot;
  }
}
