import type { TimedOutSnapshot } from '../types/JobSnapshot.js';
import { RunpodError, type ErrorContext } from './RunpodError.js';

/** The service gave the job up: it expired in the queue, or its worker stopped reporting. */
export class JobTimedOutError extends RunpodError {
  static override readonly brand = 'JobTimedOutError';

  readonly snapshot: TimedOutSnapshot;

  constructor(snapshot: TimedOutSnapshot, context: ErrorContext) {
    super(
      'job_timed_out',
      `job ${snapshot.id} timed out on the server${snapshot.error ? `: ${snapshot.error.message}` : ''}`,
      { ...context, jobId: snapshot.id },
    );
    this.snapshot = snapshot;
  }
}
