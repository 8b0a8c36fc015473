import type { FailedSnapshot } from '../types/JobSnapshot.js';
import { RunpodError, type ErrorContext } from './RunpodError.js';

/** The job failed; `snapshot.error` holds the cause. */
export class JobFailedError extends RunpodError {
  static override readonly brand = 'JobFailedError';

  readonly snapshot: FailedSnapshot;

  constructor(snapshot: FailedSnapshot, context: ErrorContext) {
    super('job_failed', `job ${snapshot.id} failed: ${snapshot.error.message}`, { ...context, jobId: snapshot.id });
    this.snapshot = snapshot;
  }
}
