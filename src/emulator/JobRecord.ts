import type { JobPolicy } from '../types/JobRequest.js';
import type { WebhookAttempt } from './webhooks/WebhookOptions.js';
import type { JobEnd, RunOutcome, WireStatus } from './model/JobModel.js';

/** One run of a job on one worker. */
export interface RunRecord {
  readonly workerId: string;
  readonly startedAt: number;
  /** Absent while the run lasts. */
  readonly endedAt?: number;
  /** Why the run ended; absent while the run lasts. */
  readonly outcome?: RunOutcome;
}

/** What happened to one job, even if a fault made answers show something else. Plain data; times are `scheduler.now()`. */
export interface JobRecord {
  readonly id: string;
  readonly endpointId: string;
  /** The operation that submitted the job. */
  readonly operation: 'run' | 'runsync';
  readonly input: unknown;
  readonly policy: JobPolicy;
  readonly submittedAt: number;
  /** The true status. A fault may make answers show another status. */
  readonly status: WireStatus;
  /** How the job ended; absent while it waits or runs. */
  readonly end?: JobEnd;
  readonly endedAt?: number;
  readonly runs: readonly RunRecord[];
  /** Milliseconds on workers, summed over all runs: the billed time. Grows while the job runs. */
  readonly executionMs: number;
  /** How often the platform ran the job again by itself, since its submission or its last `/retry`. */
  readonly retries: number;
  /** How often `/retry` was accepted. */
  readonly renewals: number;
  /** Number of `/cancel` requests for the job, including requests after its end. */
  readonly cancelRequests: number;
  /** The chunks of all runs, in order. Chunks that were read may be dropped, but at least the latest 10 000 stay. */
  readonly chunks: readonly unknown[];
  /** Number of chunks that were put into answers, including answers that were lost on the way. */
  readonly chunksHandedOut: number;
  readonly output?: unknown;
  readonly error?: unknown;
  /**
   * Present if `input`, `output`, `error` and `chunks` were dropped. The emulator keeps 16 MiB of the data of jobs that can
   * no longer be read, and drops the oldest data first.
   */
  readonly forgotten?: true;
  /** The attempts to deliver the job's webhook; absent if the job has no webhook. */
  readonly webhook?: readonly WebhookAttempt[];
}
