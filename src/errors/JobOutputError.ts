import { RunpodError } from './RunpodError.js';
import type { Issue } from '../protocol/checks.js';
import type { JobSnapshot } from '../types/JobSnapshot.js';

/** What a {@link JobOutputError} says. */
export interface JobOutputErrorDetails {
  /** What the schema says is wrong. */
  readonly issues: readonly Issue[];
  /** The job with the output as it came; absent for a chunk. */
  readonly snapshot?: JobSnapshot | undefined;
  /** The chunk as it came. */
  readonly chunk?: unknown;
}

/** The job's output, or a chunk of it, does not match the endpoint's schema. The job itself is paid and done. */
export class JobOutputError extends RunpodError<JobOutputErrorDetails> {
  static override readonly brand = 'JobOutputError';
  static override readonly code = 'job_output';

  declare readonly issues: readonly Issue[];
  declare readonly snapshot?: JobSnapshot;
  declare readonly chunk?: unknown;
}
