import { Subject } from 'rxjs';
import type { Observable } from 'rxjs';
import type { JobRecord } from '../JobRecord.js';
import type { RequestRecord } from '../RequestRecord.js';
import type { JobModel, Run } from './JobModel.js';
import { valueOf } from './relayed.js';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** A request's entry while the request is in flight: it can still be changed. */
export type OpenRecord = Mutable<RequestRecord>;

/** Bound on the memory of jobs that can no longer be read: the length of their data as JSON, in characters. */
const MAX_UNREADABLE_LENGTH = 16 * 1024 * 1024;

/** Remembers the latest jobs and requests; `history` bounds their number. */
export class Ledger {
  readonly #now: () => number;
  readonly #history: number;
  readonly #closed$ = new Subject<RequestRecord>();
  #jobModels: JobModel[] = [];
  #openRecords: OpenRecord[] = [];
  /** Jobs that can no longer be read but still hold their data, and its length; oldest first. */
  readonly #unreadable = new Map<JobModel, number>();
  #unreadableLength = 0;
  #seq = 0;
  /** Emits each request when it is over. */
  readonly requests$: Observable<RequestRecord> = this.#closed$.asObservable();

  constructor(now: () => number, history: number) {
    this.#now = now;
    this.#history = history;
  }

  addJob(job: JobModel): void {
    this.#jobModels.push(job);
    // Only when twice the history has come together, so that a busy emulator does not copy the list at each submission.
    if (this.#jobModels.length > this.#history * 2 + 100) this.#jobModels = this.#withoutOldJobs();
  }

  /** Notes that a job can no longer be read. Frees the data of such jobs, oldest first, when it exceeds the bound. */
  markUnreadable(job: JobModel): void {
    const { weight } = job;
    this.#unreadable.set(job, weight);
    this.#unreadableLength += weight;
    for (const [oldest, freed] of this.#unreadable) {
      if (this.#unreadableLength <= MAX_UNREADABLE_LENGTH && this.#unreadable.size <= this.#history) break;
      oldest.forget();
      this.#unreadable.delete(oldest);
      this.#unreadableLength -= freed;
    }
  }

  openRequest(entry: Omit<RequestRecord, 'seq' | 'at'>): OpenRecord {
    this.#seq += 1;
    const record: OpenRecord = { seq: this.#seq, at: this.#now(), ...entry };
    this.#openRecords.push(record);
    if (this.#openRecords.length > this.#history * 2 + 100) {
      this.#openRecords = this.#openRecords.slice(-this.#history);
    }
    return record;
  }

  closeRequest(record: OpenRecord): void {
    record.endedAt = this.#now();
    this.#closed$.next({ ...record });
  }

  /** The latest jobs, and every job that has not ended. */
  #withoutOldJobs(): JobModel[] {
    let surplus = this.#jobModels.length - this.#history;
    return this.#jobModels.filter((job) => {
      if (!job.over || surplus <= 0) return true;
      surplus -= 1;
      return false;
    });
  }

  /** The jobs themselves, oldest first. At times there are up to twice as many as `history` says. */
  jobModels(): readonly JobModel[] {
    return this.#jobModels;
  }

  jobs(): readonly JobRecord[] {
    const now = this.#now();
    return this.#jobModels.slice(-Math.max(this.#history, 1)).map((job) => recordOf(job, now));
  }

  /** The requests themselves, oldest first. At times there are up to twice as many as `history` says. */
  openRecords(): readonly RequestRecord[] {
    return this.#openRecords;
  }

  requests(): readonly RequestRecord[] {
    return this.#openRecords.slice(-Math.max(this.#history, 1)).map((record) => ({ ...record }));
  }

  close(): void {
    this.#closed$.complete();
  }
}

function recordOf(job: JobModel, now: number): JobRecord {
  const buffers = [...job.earlier, job.chunks];
  const [output, error] = [valueOf(job.report.output), valueOf(job.report.error)];
  return {
    id: job.id,
    endpointId: job.endpointId,
    operation: job.submission.operation,
    input: job.submission.input,
    policy: job.submission.policy,
    submittedAt: job.submittedAt,
    status: job.status,
    ...(job.end && { end: job.end }),
    ...(job.endedAt !== undefined && { endedAt: job.endedAt }),
    runs: job.runs.map(runOf),
    executionMs: job.runs.reduce((sum, run) => sum + (run.endedAt ?? now) - run.startedAt, 0),
    retries: job.retries,
    renewals: job.renewals,
    cancelRequests: job.cancelRequests,
    chunks: buffers.flatMap((buffer) => buffer.produced.map(valueOf)),
    chunksHandedOut: buffers.reduce((sum, buffer) => sum + buffer.handedOut, 0),
    ...(output !== undefined && { output }),
    ...(error !== undefined && { error }),
    ...(job.forgotten && { forgotten: true as const }),
    ...(job.submission.webhook !== undefined && { webhook: [...job.webhookAttempts] }),
  };
}

function runOf({ workerId, startedAt, endedAt, outcome }: Run) {
  return { workerId, startedAt, ...(endedAt !== undefined && { endedAt }), ...(outcome && { outcome }) };
}
