import { RunpodError } from './RunpodError.js';

/**
 * A submission was sent and its answer was lost: the job may run and be billed, and its id is not known. The client did
 * not submit again, because that could pay for two jobs. `cause` says what happened.
 */
export class SubmissionUnknownError extends RunpodError {
  static override readonly brand = 'SubmissionUnknownError';
  static override readonly code = 'submission_unknown';
}
