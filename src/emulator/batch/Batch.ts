import type { JobModel, Submission } from '../model/JobModel.js';

/** States of a batch. A finalized batch whose requests are over stays FINALIZED, even if all of them failed. */
export type BatchStatus = 'DRAFT' | 'FINALIZED' | 'CANCELLED';

/** One request of a batch. It has a job, with the same id, once the batch is finalized. */
export interface BatchRequest {
  readonly id: string;
  readonly submission: Submission;
  job?: JobModel;
}

/** A list of requests: first filled as a draft, then finalized, which submits all requests as jobs. */
export class Batch {
  name?: string;
  requests: BatchRequest[] = [];
  #finalized = false;
  #cancelled = false;

  constructor(
    readonly id: string,
    readonly endpointId: string,
    readonly createdAt: number,
  ) {}

  /** A batch that was cancelled is CANCELLED once none of its requests runs any more. */
  get status(): BatchStatus {
    if (this.#cancelled && !this.requests.some(isRunning)) return 'CANCELLED';
    return this.#finalized ? 'FINALIZED' : 'DRAFT';
  }

  /** Whether the batch is a draft, or has a request that is not over. */
  get active(): boolean {
    const { status } = this;
    return status === 'DRAFT' || (status === 'FINALIZED' && this.requests.some(({ job }) => !job?.over));
  }

  /** Whether the batch can still be cancelled. */
  get cancellable(): boolean {
    return this.active && !this.#cancelled;
  }

  /** Submits each request as a job with the request's id. */
  finalize(submit: (submission: Submission, id: string) => JobModel): void {
    this.#finalized = true;
    for (const request of this.requests) {
      request.job = submit({ ...request.submission, batchId: this.id }, request.id);
    }
  }

  /** Stops every job of the batch that waits. Jobs that run go on to their end. */
  cancel(stop: (job: JobModel) => void): void {
    this.#cancelled = true;
    for (const { job } of this.requests) if (job?.status === 'IN_QUEUE') stop(job);
  }

  remove(request: BatchRequest): void {
    this.requests = this.requests.filter((other) => other !== request);
  }

  /** The answer of `GET /batch/{id}`. */
  summary(): Record<string, unknown> {
    const count = (fits: (request: BatchRequest) => boolean): number => this.requests.filter(fits).length;
    const { id, endpointId, name, status, createdAt } = this;
    return {
      id,
      endpointId,
      name,
      status,
      requestTotal: this.requests.length,
      requestInProgress: count(isRunning),
      requestCompleted: count(({ job }) => job?.status === 'COMPLETED'),
      requestFailed: count((request) => this.#hasFailed(request)),
      createdAt,
    };
  }

  /** An item of the answer of `GET /batch/{id}/requests`. */
  describe({ id, job }: BatchRequest): Record<string, unknown> {
    const run = job?.runs.at(-1);
    return {
      id,
      status: job?.status ?? (this.#cancelled ? 'CANCELLED' : 'IN_QUEUE'),
      output: job?.report.output,
      error: job?.report.error,
      startedAt: timeOf(run?.startedAt),
      completedAt: timeOf(job?.endedAt),
    };
  }

  /**
   * Every end but COMPLETED, so that a batch is done when `requestCompleted` and `requestFailed` make up its total. What was
   * cancelled with the batch counts as neither.
   */
  #hasFailed({ job }: BatchRequest): boolean {
    if (!job?.over || job.status === 'COMPLETED') return false;
    return job.status !== 'CANCELLED' || !this.#cancelled;
  }
}

function isRunning({ job }: BatchRequest): boolean {
  return job?.status === 'IN_PROGRESS';
}

/** Such as `2026-07-09T09:15:01Z`. */
function timeOf(ms: number | undefined): string | undefined {
  return ms === undefined ? undefined : new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
}
