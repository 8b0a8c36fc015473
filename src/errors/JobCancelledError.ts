import type { CancelledSnapshot } from '../types/JobSnapshot.js';
import { RunpodError, type ErrorContext } from './RunpodError.js';

/** The job was cancelled, by this client or elsewhere. */
export class JobCancelledError extends RunpodError {
  static override readonly brand = 'JobCancelledError';

  readonly snapshot: CancelledSnapshot;

  constructor(snapshot: CancelledSnapshot, context: ErrorContext) {
    super('job_cancelled', `job ${snapshot.id} was cancelled`, { ...context, jobId: snapshot.id });
    this.snapshot = snapshot;
  }
}
