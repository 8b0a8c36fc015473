import type { Observable, OperatorFunction, SchedulerLike, Unsubscribable } from 'rxjs';
import type { ErrorContext } from '../errors/RunpodError.js';
import type { ReaderPosition } from '../sources/StreamCursor.js';
import type { StreamEvent } from '../sources/StreamEvent.js';
import type { EndpointHealth } from '../types/EndpointHealth.js';
import type { JobRef } from '../types/JobRef.js';
import type { JobRequest } from '../types/JobRequest.js';
import type { JobSnapshot } from '../types/JobSnapshot.js';
import type { CancelOutcome } from './cancelUntilConfirmed.js';

/** A submission that waits for its turn or is on its way. */
export interface SubmissionCall {
  /** Whether the server may have received the submission. */
  readonly maybeReceived: boolean;
  /** Set by the job: no view waits for the answer, so the submission is not sent again. */
  abandoned: boolean;
  /** Set by the job, and asked before each attempt: where it says so, the submission is not sent any more. */
  isObsolete?: () => boolean;
}

/** How a job is cancelled on the server. */
export interface JobCancelOptions {
  /** Whether the job is known to run, and cost: its cancel goes before those of other jobs. */
  readonly urgent: boolean;
  /** Whether the job is cancelled only if no worker has taken it yet. */
  readonly onlyIfQueued: boolean;
}

/** How a job is watched. */
export interface JobWatchOptions {
  /** The job's reference, if it was attached: it says when the job was submitted. */
  readonly ref: JobRef | undefined;
  /** Called when the job has completed, before its output is checked by a schema. Not called without a schema. */
  readonly onCompleted?: () => void;
  /** Whether only the job's end is of interest at the moment, so that the service may hold the reads. */
  readonly endOnly: () => boolean;
}

/**
 * What one job needs of its endpoint. The output of snapshots is checked by `watch`; of snapshots from elsewhere, by
 * `checkOutput`.
 */
export interface JobBackend {
  readonly scheduler: SchedulerLike;
  readonly endpointId: string | undefined;
  /** The caller's own name for the job. */
  readonly tag: string | undefined;

  /** What errors say about where they happened. */
  context(operation: string, jobId: string | undefined): ErrorContext;

  /**
   * Submits the job once.
   *
   * @param onStart - called when the submission starts, before it is sent
   */
  submit(request: JobRequest<object>, onStart: (call: SubmissionCall) => void): Observable<JobSnapshot>;

  /** Polls the job until it is over, and checks its output. The polling is shared with all others who watch the job. */
  watch(id: string, options: JobWatchOptions): Observable<JobSnapshot>;

  /** Has a job that is watched read soon: more than its end is of interest from now on. */
  readSoon(id: string): void;

  /** Reads the job once. A read that is in flight already is shared. */
  read(id: string): Observable<JobSnapshot>;

  /** Every answer about the job that others ask for. Makes no requests. */
  snapshots(id: string): Observable<JobSnapshot>;

  /**
   * Reads the job's stream to its end.
   *
   * @param position - how far this job has read its stream; kept up to date
   * @param onJobOver - called when an answer says that the job is over
   */
  readStream(id: string, position: ReaderPosition, onJobOver: () => void): Observable<StreamEvent>;

  /** Reports that the job goes on, and is followed no more. */
  reportDetached(id: string): void;

  /** Cancels the job until the service confirms it. Goes on after unsubscribing. */
  cancel(id: string, options: JobCancelOptions): Observable<CancelOutcome>;

  /** Reads the endpoint's counts of workers and jobs, again and again. The reading is shared. */
  watchHealth(): Observable<EndpointHealth>;

  /**
   * Checks the output of a completed job, and may transform it.
   *
   * @param onCompleted - called before the output of a completed job is checked
   */
  checkOutput(onCompleted?: () => void): OperatorFunction<JobSnapshot, JobSnapshot>;

  /** Has the job read anew for its watchers. */
  refresh(id: string): void;

  /** The wall clock, in milliseconds since 1970. */
  wallNow(): number;

  /**
   * When a job was submitted, on the scheduler's clock: what this client knows, or else what the reference says. Never in
   * the future, even if the reference comes from a machine whose clock is ahead.
   */
  submittedAt(ref: JobRef): number | undefined;

  /** When this client submitted the job, or what a reference said, in milliseconds since 1970. */
  submissionDate(id: string): number | undefined;

  /** Whether chunks may be missing after the delivered part of the job's stream. */
  hasGap(id: string): boolean;

  /** Reports the submission, which the service may have accepted, and whose answer was lost when no view waited for it. */
  reportLost(error: unknown): void;

  /** Keeps `settled()` waiting until the returned subscription is unsubscribed from. */
  trackPendingCancel(): Unsubscribable;

  /** Calls the listener when the client is closed, at most once, with a function that makes the error of that. */
  onClosing(listener: (error: (context: ErrorContext) => Error) => void): Unsubscribable;
}
