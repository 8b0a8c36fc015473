import type { ErrorContext } from './RunpodError.js';
import { SubmissionUnknownError } from './SubmissionUnknownError.js';

/** The error for a submission whose answer was lost. */
export function submissionUnknown(context: ErrorContext, cause: unknown): SubmissionUnknownError {
  return new SubmissionUnknownError(
    `${cause instanceof Error ? cause.message : 'no answer came'}. The job may have been accepted, so it was not submitted again: look at the endpoint's jobs before you do`,
    { ...context, accepted: 'unknown', cause },
  );
}
