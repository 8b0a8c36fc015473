import { RunpodError } from './RunpodError.js';
import type { Issue } from '../protocol/checks.js';
import type { JobSnapshot } from '../types/JobSnapshot.js';

/** The members of {@link JobOutputError} besides those of every error. */
export interface JobOutputErrorDetails {
  /** What does not match the schema. */
  readonly issues: readonly Issue[];
  /** The job with its output as the service sent it; absent where a chunk does not match. */
  readonly snapshot?: JobSnapshot | undefined;
  /** The chunk as the service sent it; absent where the output does not match. */
  readonly chunk?: unknown;
}

/** The job's output, or a chunk of it, does not match the endpoint's schema. The job itself ran, and is billed. */
export class JobOutputError extends RunpodError<JobOutputErrorDetails> {
  static override readonly brand = 'JobOutputError';
  static override readonly code = 'job_output';

  declare readonly issues: readonly Issue[];
  declare readonly snapshot?: JobSnapshot;
  declare readonly chunk?: unknown;
}
