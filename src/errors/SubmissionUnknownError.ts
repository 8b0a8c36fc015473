import { RunpodError } from './RunpodError.js';

/** A submission was sent and its answer is lost: the job may run and be billed, and its id is not known. It was not sent
 * again, because that could pay twice. `cause` says what happened. */
export class SubmissionUnknownError extends RunpodError {
  static override readonly brand = 'SubmissionUnknownError';
  static override readonly code = 'submission_unknown';
}
