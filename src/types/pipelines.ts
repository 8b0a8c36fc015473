import type { Observable } from 'rxjs';
import type { JobRef } from './JobRef.js';
import type { JobRequest } from './JobRequest.js';
import type { CompletedSnapshot, JobSnapshot } from './JobSnapshot.js';

/**
 * Runs one job to its end. Cold: each subscription runs another job. Emits the snapshots of the job as they come, the
 * terminal one last; a job that FAILED is data. Unsubscribing cancels the job; an error does not.
 *
 * @param index - the number of the input in its pipeline, from 0
 */
export type Runner<I extends object = Record<string, unknown>, O = unknown> = (
  request: JobRequest<I>,
  index: number,
) => Observable<JobSnapshot<O>>;

/** What becomes of one input of a pipeline, where its job completed. */
export interface SucceededItem<I extends object = Record<string, unknown>, O = unknown> {
  readonly ok: true;
  /** The number of the input, from 0. */
  readonly index: number;
  readonly request: JobRequest<I>;
  readonly output: O;
  readonly snapshot: CompletedSnapshot<O>;
  /** How often the input was given to the runner. */
  readonly attempts: number;
}

/** What becomes of one input of a pipeline, where its job did not complete. */
export interface FailedItem<I extends object = Record<string, unknown>, O = unknown> {
  readonly ok: false;
  /** The number of the input, from 0. */
  readonly index: number;
  readonly request: JobRequest<I>;
  /** Of a job that ended otherwise, the error that `jobOutput` makes of it; else what the runner errored with. */
  readonly error: unknown;
  /** The last one seen. */
  readonly snapshot?: JobSnapshot<O>;
  readonly jobId?: string;
  /** Where reading failed: the job may still run, and this is what to attach to. */
  readonly ref?: JobRef;
  /** How often the input was given to the runner: 0 where a buffer had no room for it, or the pipeline stopped before. */
  readonly attempts: number;
}

/** What becomes of one input of a pipeline. */
export type PipelineItem<I extends object = Record<string, unknown>, O = unknown> =
  SucceededItem<I, O> | FailedItem<I, O>;

/** How far a pipeline is. */
export interface PipelineTotals {
  /** Inputs that were taken. */
  readonly taken: number;
  /** Those that were taken and not given to the runner yet. */
  readonly waiting: number;
  /** Those that run, or wait to be submitted again. */
  readonly inFlight: number;
  /** Those whose job completed. */
  readonly done: number;
  /** Those that failed. */
  readonly failed: number;
  /** How many submissions were made again. */
  readonly retried: number;
  /** Items that ended in a second, over the last minute, or since the beginning where that is less. */
  readonly rate: number;
  /** How many inputs there are, where they have a `length` or a `size`. */
  readonly total?: number;
  /** Milliseconds to go at that rate, where it can be told. */
  readonly remaining?: number;
}

/** What a pipeline takes its inputs from; a Node stream of requests is an async iterable. */
export type PipelineInputs<I extends object> = Iterable<JobRequest<I>> | AsyncIterable<JobRequest<I>>;
