import type { JobFailure } from './JobFailure.js';

/** The seven documented states of a job, and `UNKNOWN` for one that this version does not know. */
export type JobStatus = 'IN_QUEUE' | 'IN_PROGRESS' | 'COMPLETED' | 'FAILED' | 'CANCELLED' | 'TIMED_OUT' | 'UNKNOWN';

/** The members of every snapshot. */
export interface SnapshotBase {
  readonly id: string;
  /** The status as the service wrote it. */
  readonly rawStatus: string;
  /** The whole answer as the service sent it, with the fields that this version does not know. */
  readonly raw: Readonly<Record<string, unknown>>;
  /** Milliseconds from submission to the start of the current attempt; absent while queued. */
  readonly delayTime?: number;
  /** How long the job ran, in milliseconds, as the service counts and bills it. */
  readonly executionTime?: number;
  readonly workerId?: string;
  /** How often the platform itself started the job again. */
  readonly retries?: number;
}

export interface QueuedSnapshot extends SnapshotBase {
  readonly status: 'IN_QUEUE';
}

export interface RunningSnapshot extends SnapshotBase {
  readonly status: 'IN_PROGRESS';
  /** The handler's latest progress update; absent if there was none. */
  readonly progress?: unknown;
}

export interface CompletedSnapshot<O = unknown> extends SnapshotBase {
  readonly status: 'COMPLETED';
  /** `undefined` where the handler returned nothing. */
  readonly output: O;
}

export interface FailedSnapshot extends SnapshotBase {
  readonly status: 'FAILED';
  readonly error: JobFailure;
  /** The output that the handler returned beside its error. */
  readonly output?: unknown;
}

export interface CancelledSnapshot extends SnapshotBase {
  readonly status: 'CANCELLED';
  readonly output?: unknown;
}

export interface TimedOutSnapshot extends SnapshotBase {
  readonly status: 'TIMED_OUT';
  readonly error?: JobFailure;
  readonly output?: unknown;
}

/** A status that this version does not know. It is not terminal: watching goes on. */
export interface UnknownSnapshot extends SnapshotBase {
  readonly status: 'UNKNOWN';
  readonly progress?: unknown;
}

/** A job that is over: its status changes no more, unless `retry` runs it again. */
export type TerminalSnapshot<O = unknown> =
  CompletedSnapshot<O> | FailedSnapshot | CancelledSnapshot | TimedOutSnapshot;

/**
 * A job as one answer of the service showed it. Narrow on `status`:
 *
 * ```ts
 * if (snapshot.status === 'COMPLETED') use(snapshot.output);
 * ```
 */
export type JobSnapshot<O = unknown> = QueuedSnapshot | RunningSnapshot | TerminalSnapshot<O> | UnknownSnapshot;
