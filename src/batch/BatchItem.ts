import type { CompletedSnapshot, JobRequest, JobSnapshot } from '../index.js';

/** The members of every item of a batch. */
export interface BatchItemBase<I extends object = Record<string, unknown>> {
  /** The number of the request, from 0. */
  readonly index: number;
  readonly request: JobRequest<I>;
  /** The batch, where the request got into one. */
  readonly batchId?: string;
  /** The id of the job, where it has one. */
  readonly jobId?: string;
}

/** The result of one request whose job completed. */
export interface CompletedBatchItem<I extends object = Record<string, unknown>, O = unknown> extends BatchItemBase<I> {
  readonly ok: true;
  readonly output: O;
  readonly snapshot: CompletedSnapshot<O>;
}

/** The result of one request whose job did not complete. */
export interface FailedBatchItem<I extends object = Record<string, unknown>, O = unknown> extends BatchItemBase<I> {
  readonly ok: false;
  /** The error that `jobOutput` makes of the job's end, or that of the read of it. */
  readonly error: unknown;
  readonly snapshot?: JobSnapshot<O>;
}

/** The result of one request. */
export type BatchItem<I extends object = Record<string, unknown>, O = unknown> =
  CompletedBatchItem<I, O> | FailedBatchItem<I, O>;
