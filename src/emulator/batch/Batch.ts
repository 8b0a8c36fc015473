import type { JobModel, Submission } from '../model/JobModel.js';

/** States of a batch. FAILED: the batch is finalized and all of its requests failed. */
export type BatchStatus = 'DRAFT' | 'FINALIZED' | 'FAILED' | 'CANCELLED';

/** One request of a batch. It has a job once the batch is finalized. */
export interface BatchRequest {
  readonly id: string;
  readonly submission: Submission;
  job?: JobModel;
}

/** A list of requests: first filled as a draft, then finalized, which submits all requests as jobs. */
export class Batch {
  name?: string;
  requests: BatchRequest[] = [];
  #stage: 'DRAFT' | 'FINALIZED' | 'CANCELLED' = 'DRAFT';

  constructor(
    readonly id: string,
    readonly endpointId: string,
    readonly createdAt: number,
  ) {}

  get status(): BatchStatus {
    const allFailed = this.requests.length > 0 && this.requests.every(({ job }) => job && hasFailed(job));
    return this.#stage === 'FINALIZED' && allFailed ? 'FAILED' : this.#stage;
  }

  /** Whether the batch is a draft, or has a request that is not over. */
  get active(): boolean {
    return this.#stage === 'DRAFT' || (this.#stage === 'FINALIZED' && this.requests.some(({ job }) => !job?.over));
  }

  finalize(submit: (submission: Submission) => JobModel): void {
    this.#stage = 'FINALIZED';
    for (const request of this.requests) request.job = submit({ ...request.submission, batchId: this.id });
  }

  /** Stops every job of the batch that is not over. */
  cancel(stop: (job: JobModel) => void): void {
    this.#stage = 'CANCELLED';
    for (const { job } of this.requests) if (job && !job.over) stop(job);
  }

  remove(request: BatchRequest): void {
    this.requests = this.requests.filter((other) => other !== request);
  }

  /** The answer of `GET /batch/{id}`. */
  summary(): Record<string, unknown> {
    const jobs = this.requests.flatMap(({ job }) => job ?? []);
    const count = (fits: (job: JobModel) => boolean): number => jobs.filter(fits).length;
    const { id, endpointId, name, status, createdAt } = this;
    return {
      id,
      endpointId,
      name,
      status,
      requestTotal: this.requests.length,
      requestInProgress: count((job) => !job.over),
      requestCompleted: count((job) => job.status === 'COMPLETED'),
      requestFailed: count(hasFailed),
      createdAt,
    };
  }

  /** An item of the answer of `GET /batch/{id}/requests`. */
  describe({ id, job }: BatchRequest): Record<string, unknown> {
    const run = job?.runs.at(-1);
    return {
      id,
      status: job?.status ?? (this.#stage === 'CANCELLED' ? 'CANCELLED' : 'IN_QUEUE'),
      output: job?.report.output,
      error: job?.report.error,
      startedAt: timeOf(run?.startedAt),
      completedAt: timeOf(job?.endedAt),
    };
  }
}

function hasFailed({ status }: JobModel): boolean {
  return status === 'FAILED' || status === 'TIMED_OUT';
}

/** Such as `2026-07-09T09:15:01Z`. */
function timeOf(ms: number | undefined): string | undefined {
  return ms === undefined ? undefined : new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
}
