import type { CancelledSnapshot, FailedSnapshot, TimedOutSnapshot } from '../types/JobSnapshot.js';
import { JobCancelledError } from './JobCancelledError.js';
import { JobDeadlineError } from './JobDeadlineError.js';
import { JobFailedError } from './JobFailedError.js';
import { JobTimedOutError } from './JobTimedOutError.js';
import type { CodedError, JobErrorCode } from './CodedError.js';
import type { ErrorContext, RunpodError } from './RunpodError.js';

/**
 * The error for a job that ended without completing: what `output$` errors with. It holds the snapshot.
 *
 * ```ts
 * endpoint.watch(id).subscribe((snapshot) => {
 *   if (isTerminal(snapshot) && snapshot.status !== 'COMPLETED') show(jobError(snapshot).code);
 * });
 * ```
 */
export function jobError(
  snapshot: FailedSnapshot | CancelledSnapshot | TimedOutSnapshot,
  at: ErrorContext = { operation: 'status' },
): CodedError<JobErrorCode> {
  // Each class has the code that its type here says.
  return makeJobError(snapshot, at) as CodedError<JobErrorCode>;
}

function makeJobError(snapshot: FailedSnapshot | CancelledSnapshot | TimedOutSnapshot, at: ErrorContext): RunpodError {
  const { id: jobId, status } = snapshot;
  const context = { ...at, jobId };
  if (status === 'CANCELLED') return new JobCancelledError(`job ${jobId} was cancelled`, context, { snapshot });
  // A job that TIMED_OUT may have no error.
  const { message = 'it expired, or its worker was lost' } = snapshot.error ?? {};
  if (status === 'TIMED_OUT') return new JobTimedOutError(`job ${jobId} timed out: ${message}`, context, { snapshot });
  // The service's words for a job that exceeded its policy.executionTimeout.
  if (message.startsWith('executionTimeout exceeded')) {
    const details = { limit: 'execution', by: 'server', snapshot } as const;
    return new JobDeadlineError(`job ${jobId} ran longer than its executionTimeout`, context, details);
  }
  return new JobFailedError(`job ${jobId} failed: ${message}`, context, { snapshot });
}
