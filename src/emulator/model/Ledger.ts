import { Subject } from 'rxjs';
import type { Observable } from 'rxjs';
import type { JobRecord } from '../JobRecord.js';
import type { RequestRecord } from '../RequestRecord.js';
import type { Job, Run } from './Job.js';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** A request's entry while it is on its way. */
export type OpenRecord = Mutable<RequestRecord>;

/** How many characters of JSON are kept of jobs that nobody can read any more. */
const MOST_KEPT = 16 * 1024 * 1024;

/** Remembers every job and every request, up to a bound. */
export class Ledger {
  private readonly closed$ = new Subject<RequestRecord>();
  private jobsKept: Job[] = [];
  private requestsKept: OpenRecord[] = [];
  /** Dropped jobs that still have what weighs, and how much it is; oldest first. */
  private readonly unreadable = new Map<Job, number>();
  private kept = 0;
  private seq = 0;
  /** Each request once it is over. */
  readonly requests$: Observable<RequestRecord> = this.closed$.asObservable();

  constructor(
    private readonly now: () => number,
    private readonly history: number,
  ) {}

  job(job: Job): void {
    this.jobsKept.push(job);
    // In lumps, so that a busy emulator does not copy its history at each submission.
    if (this.jobsKept.length > this.history * 2 + 100) {
      let spare = this.jobsKept.length - this.history;
      this.jobsKept = this.jobsKept.filter((kept) => !kept.over || spare-- <= 0);
    }
  }

  /** A job can no longer be read: what weighs is let go, of those first that were dropped first. */
  dropped(job: Job): void {
    const { weight } = job;
    this.unreadable.set(job, weight);
    this.kept += weight;
    for (const [oldest, freed] of this.unreadable) {
      if (this.kept <= MOST_KEPT && this.unreadable.size <= this.history) break;
      oldest.forget();
      this.unreadable.delete(oldest);
      this.kept -= freed;
    }
  }

  open(entry: Omit<RequestRecord, 'seq' | 'at'>): OpenRecord {
    this.seq += 1;
    const record: OpenRecord = { seq: this.seq, at: this.now(), ...entry };
    this.requestsKept.push(record);
    if (this.requestsKept.length > this.history * 2 + 100) {
      this.requestsKept = this.requestsKept.slice(-this.history);
    }
    return record;
  }

  close(record: OpenRecord): void {
    record.endedAt = this.now();
    this.closed$.next({ ...record });
  }

  jobs(): readonly JobRecord[] {
    const now = this.now();
    return this.jobsKept.slice(-Math.max(this.history, 1)).map((job) => recordOf(job, now));
  }

  requests(): readonly RequestRecord[] {
    return this.requestsKept.slice(-Math.max(this.history, 1)).map((record) => ({ ...record }));
  }

  end(): void {
    this.closed$.complete();
  }
}

function recordOf(job: Job, now: number): JobRecord {
  const buffers = [...job.earlier, job.chunks];
  const { output, error } = job.report;
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
    chunks: buffers.flatMap((buffer) => buffer.produced),
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
