import type { Subscription } from 'rxjs';
import { Subject } from 'rxjs';
import type { JobPolicy, S3Config } from '../../types/JobRequest.js';
import type { WebhookAttempt } from '../webhooks/WebhookOptions.js';
import { StreamBuffer } from './StreamBuffer.js';

/** A job's status as it stands on the wire. */
export type WireStatus = 'IN_QUEUE' | 'IN_PROGRESS' | 'COMPLETED' | 'FAILED' | 'CANCELLED' | 'TIMED_OUT';

/** How a job came to its end. */
export type JobEnd = 'completed' | 'failed' | 'cancelled' | 'timed-out' | 'expired' | 'purged';

/** How one run of a job on one worker came to its end. */
export type RunOutcome = 'reported' | 'cancelled' | 'killed' | 'expired' | 'lost' | 'closed';

/** One run of a job on one worker. */
export interface Run {
  readonly workerId: string;
  readonly startedAt: number;
  endedAt?: number;
  outcome?: RunOutcome;
  /** When the worker last gave a sign of life for this run. Used only for workers that can fall silent. */
  lastSeenAt: number;
  /** Ends with the run: the worker's work, and the timers that watch it. */
  readonly lifetime: Subscription;
}

/** What a worker reports at a job's end. An absent member is absent in the answers too. Texts that JavaScript would change are `RelayedJson`. */
export interface WorkerReport {
  readonly output?: unknown;
  readonly error?: unknown;
}

/** The members of a submitted job. */
export interface Submission {
  readonly operation: 'run' | 'runsync';
  /** The input as handlers get it. */
  readonly input?: Record<string, unknown>;
  /** The input as workers of other processes and webhooks get it: the text that was submitted. */
  readonly wireInput?: unknown;
  readonly webhook?: string;
  readonly policy: JobPolicy;
  readonly s3Config?: S3Config;
  /** The batch that the job belongs to. */
  readonly batchId?: string;
}

/** What a job is made with. */
interface NewJob {
  readonly id: string;
  readonly endpointId: string;
  readonly submission: Submission;
  readonly submittedAt: number;
  /** The job's time to live in the queue, in milliseconds. */
  readonly ttl: number;
  /** How long the job can be read after its end, in milliseconds. */
  readonly retention: number;
}

/** The full state of one job. Its status is changed only by the functions of `transitions.ts`. */
export class JobModel {
  readonly id: string;
  readonly endpointId: string;
  submission: Submission;
  readonly submittedAt: number;
  readonly ttl: number;
  retention: number;
  status: WireStatus = 'IN_QUEUE';
  end?: JobEnd;
  endedAt?: number;
  /** When the job entered the queue: at its submission, or at its last `/retry`. */
  queuedAt: number;
  readonly runs: Run[] = [];
  current?: Run;
  /** How often the platform ran the job again by itself. */
  retries = 0;
  /** How often `/retry` was accepted. */
  renewals = 0;
  delayTime?: number;
  executionTime?: number;
  workerId?: string;
  progress?: { readonly value: unknown; readonly executionTime: number };
  report: WorkerReport = {};
  chunks = new StreamBuffer();
  /** Chunks of the runs before a `/retry`: kept for the ledger, no longer readable. */
  readonly earlier: StreamBuffer[] = [];
  /** A progress update that arrived after the job's end: answers show it instead of the end. */
  reverted?: { readonly value: unknown };
  /** Reads are answered with 404 until this time. */
  hiddenUntil = 0;
  /** Whether reads are answered with 404 for good. */
  gone = false;
  /** Whether `forget` has dropped the input, the result and the chunks. */
  forgotten = false;
  cancelRequests = 0;
  /** The attempts to deliver the job's webhook. */
  readonly webhookAttempts: WebhookAttempt[] = [];
  /** How often `changed$` has emitted. */
  revision = 0;
  readonly #changes = new Subject<void>();
  /** Emits at each change that an answer could show. */
  readonly changed$ = this.#changes.asObservable();

  constructor({ id, endpointId, submission, submittedAt, ttl, retention }: NewJob) {
    this.id = id;
    this.endpointId = endpointId;
    this.submission = submission;
    this.submittedAt = submittedAt;
    this.queuedAt = submittedAt;
    this.ttl = ttl;
    this.retention = retention;
  }

  get ttlAt(): number {
    return this.queuedAt + this.ttl;
  }

  get over(): boolean {
    return this.end !== undefined;
  }

  /** Length of the job's input, result and chunks as JSON, in characters. */
  get weight(): number {
    const chunks = [...this.earlier, this.chunks].map(({ produced }) => produced);
    return JSON.stringify([this.submission.input, this.report, this.progress, chunks]).length;
  }

  /** Frees the memory of the input, the result and the chunks. Status, times and runs stay. */
  forget(): void {
    const { operation, policy } = this.submission;
    this.submission = { operation, policy };
    this.report = {};
    this.progress = undefined;
    for (const buffer of [...this.earlier, this.chunks]) buffer.clear();
    this.forgotten = true;
  }

  /** Emits on `changed$`. */
  notifyChanged(): void {
    this.revision += 1;
    this.#changes.next();
  }
}
