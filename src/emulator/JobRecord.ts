import type { JobPolicy } from '../types/JobRequest.js';
import type { WebhookAttempt } from './webhooks/WebhookOptions.js';
import type { JobEnd, RunOutcome, WireStatus } from './model/JobModel.js';

/** One run of a job on one worker, as it truly was. */
export interface RunRecord {
  readonly workerId: string;
  readonly startedAt: number;
  /** Absent while it runs. */
  readonly endedAt?: number;
  /** Why it ended; absent while it runs. */
  readonly outcome?: RunOutcome;
}

/** What truly happened to one job, whatever the answers said. Plain data; times are `scheduler.now()` in milliseconds. */
export interface JobRecord {
  readonly id: string;
  readonly endpointId: string;
  /** The operation that submitted it. */
  readonly operation: 'run' | 'runsync';
  readonly input: unknown;
  readonly policy: JobPolicy;
  readonly submittedAt: number;
  /** The true status; a fault may make answers say otherwise. */
  readonly status: WireStatus;
  /** How it ended; absent while it waits or runs. */
  readonly end?: JobEnd;
  readonly endedAt?: number;
  readonly runs: readonly RunRecord[];
  /** Milliseconds on workers, all runs together: what would be billed. Counts on while it runs. */
  readonly executionMs: number;
  /** How often the platform ran it again, since its submission or its last `/retry`. */
  readonly retries: number;
  /** How often `/retry` was accepted. */
  readonly renewals: number;
  /** How many `/cancel` requests reached it, accepted or too late. */
  readonly cancelRequests: number;
  /** The chunks it produced, in order, over all its runs; of those that were read, the latest 10 000 at least. */
  readonly chunks: readonly unknown[];
  /** How many of them answers took away, arrived or lost. */
  readonly chunksHandedOut: number;
  readonly output?: unknown;
  readonly error?: unknown;
  /**
   * `input`, `output`, `error` and `chunks` are no longer there: nobody can read the job any more, and of such jobs 16 MiB
   * are kept in all.
   */
  readonly forgotten?: true;
  /** The attempts to deliver its webhook; absent where it has none. */
  readonly webhook?: readonly WebhookAttempt[];
}
