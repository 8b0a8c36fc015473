import type { CancelledSnapshot, FailedSnapshot, TimedOutSnapshot } from '../types/JobSnapshot.js';
import { JobCancelledError } from './JobCancelledError.js';
import { JobDeadlineError } from './JobDeadlineError.js';
import { JobFailedError } from './JobFailedError.js';
import { JobTimedOutError } from './JobTimedOutError.js';
import type { ErrorContext, RunpodError } from './RunpodError.js';

/** The error for a job that is over without having completed. */
export function jobError(
  snapshot: FailedSnapshot | CancelledSnapshot | TimedOutSnapshot,
  context: ErrorContext,
): RunpodError {
  switch (snapshot.status) {
    case 'CANCELLED':
      return new JobCancelledError(snapshot, context);
    case 'TIMED_OUT':
      return new JobTimedOutError(snapshot, context);
    case 'FAILED':
      // The words of the service when policy.executionTimeout was passed.
      return /^executionTimeout exceeded/.test(snapshot.error.message)
        ? new JobDeadlineError('execution', 'server', { ...context, jobId: snapshot.id }, snapshot)
        : new JobFailedError(snapshot, context);
  }
}
