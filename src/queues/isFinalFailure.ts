import { isRunpodError } from '../index.js';

/**
 * Errors after which another attempt would fail as well, would pay for what may be paid already, or would go against the
 * will of who has cancelled the job.
 */
const FINAL = new Set([
  'configuration',
  'validation',
  'body_too_large',
  'submission_unknown',
  'job_cancelled',
  'job_output',
  // The job may have been paid, and its result is lost.
  'job_expired',
  'job_not_found',
]);

/** Whether a queue is not to retry a job that has failed by this error. */
export function isFinalFailure(error: unknown): boolean {
  return isRunpodError(error) && FINAL.has(error.code);
}
