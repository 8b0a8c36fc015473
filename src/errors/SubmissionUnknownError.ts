import { RunpodError, type ErrorInit } from './RunpodError.js';

/**
 * A submission was sent and its answer is lost: the job may run and be billed, and its id is not known. It was not sent
 * again, because that could pay twice. `cause` says what happened.
 */
export class SubmissionUnknownError extends RunpodError {
  static override readonly brand = 'SubmissionUnknownError';

  constructor(init: ErrorInit) {
    const reason = init.cause instanceof Error ? init.cause.message : 'no answer came';
    super(
      'submission_unknown',
      `${reason}. The job may have been accepted, so it was not submitted again: look at the endpoint's requests before you do`,
      { ...init, accepted: 'unknown' },
    );
  }
}
