import type { TerminalSnapshot } from './JobSnapshot.js';

/** What `diagnose` cannot read from an answer; all times in milliseconds. */
export interface DiagnosisFacts {
  /** When the job was submitted, by the clock of `now`. Without it nothing is said of its ttl. */
  readonly submittedAt?: number;
  /** The time it is now, such as `scheduler.now()`. Without it nothing is said of its ttl. */
  readonly now?: number;
  /**
   * How long the service keeps the job from its submission: `policy.ttl`.
   * @defaultValue 86 400 000 (24 hours), as the service has it
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
  /** Milliseconds until then; 0 where that is past. */
  readonly left: number;
}

/** A worker has the job. */
export interface RunningDiagnosis {
  readonly reason: 'running';
}

/** A worker is free: the job should start at any moment. */
export interface StartingDiagnosis {
  readonly reason: 'starting';
  /** Workers that are idle or ready. */
  readonly free: number;
}

/** All workers that could take the job are at others. */
export interface QueuedBehindDiagnosis {
  readonly reason: 'queued-behind';
  /** Jobs in the queue, this one included; how many of them come before it, the service does not say. */
  readonly queued: number;
  /** Workers that run a job. */
  readonly running: number;
}

/** Workers are there, and none of them works: their container may crash as often as it is started. */
export interface UnhealthyDiagnosis {
  readonly reason: 'unhealthy';
  readonly unhealthy: number;
}

/** A worker is starting: its image is pulled, or its model loaded. */
export interface ColdStartDiagnosis {
  readonly reason: 'cold-start';
  readonly initializing: number;
}

/** Workers wait for a GPU to come free. */
export interface ThrottledDiagnosis {
  readonly reason: 'throttled';
  readonly throttled: number;
}

/** There is no worker of any kind: the endpoint may be scaling up from zero, or its maximum is zero. */
export interface NoWorkersDiagnosis {
  readonly reason: 'no-workers';
}

/** What is known does not say. */
export interface UnknownDiagnosis {
  readonly reason: 'unknown';
}

/** Why a job is where it is; narrow on `reason`. Open by contract: new reasons may come. */
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
