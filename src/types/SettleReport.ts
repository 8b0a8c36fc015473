import type { JobRef } from './JobRef.js';
import type { Operation } from './Operation.js';

/**
 * A submission that the service may have accepted, and whose answer was lost after its subscribers had left. The job may
 * run, and cost, and nobody knows its id: look at the endpoint's jobs.
 */
export interface LostSubmission {
  readonly endpointId: string;
  /** `run`, `runsync`, `retry`, or the operation that `request` was given. */
  readonly operation: Operation;
  /** When it was sent, in milliseconds since the epoch. */
  readonly submittedAt: number;
  /** What became of its answer, in words. */
  readonly reason: string;
  /** The job that a `/retry` was for. It was cancelled as well, and is in another list of the report, too. */
  readonly id?: string | undefined;
  /** The caller's own name for the job. */
  readonly tag?: string | undefined;
}

/**
 * What became of the jobs that the client was to cancel because they were unsubscribed from. Each list holds the 10,000
 * newest.
 */
export interface SettleReport {
  /** The service cancelled them. */
  readonly cancelled: readonly JobRef[];
  /** They were over before the cancel reached the service, or the service does not know them any more. */
  readonly finished: readonly JobRef[];
  /** Not cancelled: the service refused, or did not confirm it within ten minutes. They may still run, and cost. */
  readonly abandoned: readonly JobRef[];
  /**
   * Submissions whose answer was lost after their subscribers had left. Where a subscriber was still there, it got
   * `SubmissionUnknownError` instead, and the submission is not in the report.
   */
  readonly lost: readonly LostSubmission[];
}
