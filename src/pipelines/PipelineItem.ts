import type { JobRef } from '../types/JobRef.js';
import type { JobRequest } from '../types/JobRequest.js';
import type { CompletedSnapshot, JobSnapshot } from '../types/JobSnapshot.js';

/** The result of one input of a pipeline whose job completed. */
export interface SucceededItem<I extends object = Record<string, unknown>, O = unknown> {
  readonly ok: true;
  /** The number of the input, from 0. */
  readonly index: number;
  readonly request: JobRequest<I>;
  readonly output: O;
  readonly snapshot: CompletedSnapshot<O>;
  /** How many times the input was given to the runner. */
  readonly attempts: number;
}

/** The result of one input of a pipeline whose job did not complete, or was never submitted. */
export interface FailedItem<I extends object = Record<string, unknown>, O = unknown> {
  readonly ok: false;
  /** The number of the input, from 0. */
  readonly index: number;
  readonly request: JobRequest<I>;
  /**
   * For a job that ended FAILED, CANCELLED or TIMED_OUT, the error that `jobOutput` makes of its snapshot. Otherwise the
   * error of the runner or of the pipeline.
   */
  readonly error: unknown;
  /** The last snapshot seen. */
  readonly snapshot?: JobSnapshot<O>;
  readonly jobId?: string;
  /** Present where reading failed. The job may still run: attach to it by this reference. */
  readonly ref?: JobRef;
  /**
   * How many times the input was given to the runner. 0 where the buffer had no room for it, or where the pipeline
   * stopped first.
   */
  readonly attempts: number;
}

/** The result of one input of a pipeline. */
export type PipelineItem<I extends object = Record<string, unknown>, O = unknown> =
  SucceededItem<I, O> | FailedItem<I, O>;
