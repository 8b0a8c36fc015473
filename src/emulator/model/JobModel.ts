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
  /** When its worker last gave a sign of life for it; looked at only where a worker can fall silent. */
  lastSeenAt: number;
  /** Everything that goes on as long as the run: the worker's work, and the timers that watch over it. */
  readonly lifetime: Subscription;
}

/** What a worker reports at a job's end. An absent member is absent in the answers too. */
export interface WorkerReport {
  readonly output?: unknown;
  readonly error?: unknown;
}

/** What a submission brought. */
export interface Submission {
  readonly operation: 'run' | 'runsync';
  readonly input?: Record<string, unknown>;
  readonly webhook?: string;
  readonly policy: JobPolicy;
  readonly s3Config?: S3Config;
  /** The batch that it came with. */
  readonly batchId?: string;
}

/** Everything known of one job. Changed by the functions of `transitions.ts` only. */
export class JobModel {
  status: WireStatus = 'IN_QUEUE';
  end?: JobEnd;
  endedAt?: number;
  /** When it came into the queue: at its submission, or at its last `/retry`. */
  queuedAt: number;
  readonly runs: Run[] = [];
  current?: Run;
  /** How often the platform ran it again by itself. */
  retries = 0;
  /** How often `/retry` was accepted for it. */
  renewals = 0;
  delayTime?: number;
  executionTime?: number;
  workerId?: string;
  progress?: { readonly value: unknown; readonly executionTime: number };
  report: WorkerReport = {};
  chunks = new StreamBuffer();
  /** Chunks of runs before a `/retry`, which are gone for readers. */
  readonly earlier: StreamBuffer[] = [];
  /** A progress update that came after the end and hides it. */
  reverted?: { readonly value: unknown };
  /** Reads answer 404 until then. */
  hiddenUntil = 0;
  /** No longer readable. */
  gone = false;
  /** Its input, its result and its chunks are no longer known. */
  forgotten = false;
  cancelRequests = 0;
  /** What came of telling others of its end. */
  readonly webhookAttempts: WebhookAttempt[] = [];
  readonly #changes = new Subject<void>();
  /** Emits at each change that an answer could show. */
  readonly changed$ = this.#changes.asObservable();

  constructor(
    readonly id: string,
    readonly endpointId: string,
    public submission: Submission,
    readonly submittedAt: number,
    readonly ttl: number,
    /** How long it can be read after its end. */
    public retention: number,
  ) {
    this.queuedAt = submittedAt;
  }

  get ttlAt(): number {
    return this.queuedAt + this.ttl;
  }

  get over(): boolean {
    return this.end !== undefined;
  }

  /** How many characters of JSON its input, its result and its chunks take. */
  get weight(): number {
    const chunks = [...this.earlier, this.chunks].map(({ produced }) => produced);
    return JSON.stringify([this.submission.input, this.report, this.progress, chunks]).length;
  }

  /** Lets go of what weighs: what came in and what came out. How it went stays. */
  forget(): void {
    const { operation, policy } = this.submission;
    this.submission = { operation, policy };
    this.report = {};
    this.progress = undefined;
    for (const buffer of [...this.earlier, this.chunks]) buffer.clear();
    this.forgotten = true;
  }

  /** Tells those who wait that something changed. */
  notifyChanged(): void {
    this.#changes.next();
  }
}
