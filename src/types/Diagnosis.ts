import type { TerminalSnapshot } from './JobSnapshot.js';

/** What `diagnose` cannot learn from the snapshot or the health; all times in milliseconds. */
export interface DiagnosisFacts {
  /** When the job was submitted, by the same clock as `now`. Without it, `diagnose` ignores the ttl. */
  readonly submittedAt?: number;
  /** The current time, such as `scheduler.now()`. Without it, `diagnose` ignores the ttl. */
  readonly now?: number;
  /**
   * How long the service keeps the job from its submission: `policy.ttl`.
   * @defaultValue 86 400 000 (24 hours), set by the service
   */
  readonly ttl?: number;
}

/** The job is over. */
export interface EndedDiagnosis {
  readonly reason: 'ended';
  readonly status: TerminalSnapshot['status'];
}

/** The service is about to delete the job, even while it runs. */
export interface ExpiringDiagnosis {
  readonly reason: 'expiring';
  /** Milliseconds until the ttl is over; 0 where it is over. */
  readonly left: number;
}

/** A worker has the job. */
export interface RunningDiagnosis {
  readonly reason: 'running';
}

/** A worker is free, so the job should start at any moment. */
export interface StartingDiagnosis {
  readonly reason: 'starting';
  /** Workers that are idle or ready. */
  readonly free: number;
}

/** All workers that could take the job run other jobs. */
export interface QueuedBehindDiagnosis {
  readonly reason: 'queued-behind';
  /** Jobs in the queue, this job included. The service does not say how many of them come before it. */
  readonly queued: number;
  /** Workers that run other jobs. */
  readonly running: number;
}

/** The endpoint has workers, and none of them works. Their container may crash each time that it starts. */
export interface UnhealthyDiagnosis {
  readonly reason: 'unhealthy';
  readonly unhealthy: number;
}

/** A worker is starting: it pulls its image, or loads its model. */
export interface ColdStartDiagnosis {
  readonly reason: 'cold-start';
  readonly initializing: number;
}

/** Workers wait for a free GPU. */
export interface ThrottledDiagnosis {
  readonly reason: 'throttled';
  readonly throttled: number;
}

/** The endpoint has no workers: it may be scaling up from zero, or its maximum is zero. */
export interface NoWorkersDiagnosis {
  readonly reason: 'no-workers';
}

/** The snapshot and the health do not tell the reason. */
export interface UnknownDiagnosis {
  readonly reason: 'unknown';
}

/** Why a job is in its state; narrow on `reason`. Open by contract: a later version may add reasons. */
export type Diagnosis =
  | EndedDiagnosis
  | ExpiringDiagnosis
  | RunningDiagnosis
  | StartingDiagnosis
  | QueuedBehindDiagnosis
  | UnhealthyDiagnosis
  | ColdStartDiagnosis
  | ThrottledDiagnosis
  | NoWorkersDiagnosis
  | UnknownDiagnosis;
