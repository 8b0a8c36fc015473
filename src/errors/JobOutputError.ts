import type { JobSnapshot } from '../types/JobSnapshot.js';
import { RunpodError, type ErrorContext } from './RunpodError.js';

/** The job's output, or a chunk of it, does not match the endpoint's schema. The job itself is paid and done. */
export class JobOutputError extends RunpodError {
  static override readonly brand = 'JobOutputError';

  /** What the schema says is wrong. */
  readonly issues: readonly string[];
  /** The job with the output as it came; absent for a chunk. */
  readonly snapshot?: JobSnapshot;
  /** The chunk as it came. */
  readonly chunk?: unknown;

  constructor(
    issues: readonly string[],
    found: { readonly snapshot: JobSnapshot } | { readonly chunk: unknown },
    context: ErrorContext,
  ) {
    super(
      'job_output',
      `the ${'chunk' in found ? 'chunk' : 'output'} of job ${context.jobId ?? '?'} does not match the schema: ${issues.join('; ')}`,
      context,
    );
    this.issues = issues;
    Object.assign(this, found);
  }
}
