import type { Observable, SchedulerLike } from 'rxjs';
import type { ErrorContext } from '../errors/RunpodError.js';
import type { ReaderPosition } from '../sources/StreamCursor.js';
import type { JobRef } from '../types/JobRef.js';
import type { CancelOutcome } from './cancelUntilConfirmed.js';
import type { JobBackend, SubmissionCall } from './JobBackend.js';
import type { JobOptions, JobTimeout } from './JobOptions.js';
import type { JobOrigin } from './JobOrigin.js';
import type { JobAction, JobState } from './jobReducer.js';

/** One job, as its effects see it. */
export interface JobContext {
  readonly backend: JobBackend;
  readonly scheduler: SchedulerLike;
  readonly origin: JobOrigin;
  readonly options: JobOptions<object>;
  readonly timeout: JobTimeout;
  readonly state: JobState;
  /** The job's id in the current state; empty while there is none. */
  readonly id: string;
  /** The reference that `attach` takes, once there is an id. */
  readonly ref: JobRef | undefined;
  /** How far the job's stream was read, by this client or by the one that the reference comes from. */
  readonly position: ReaderPosition;
  /** The submission, from its start until there is an id. */
  submissionCall: SubmissionCall | undefined;
  /** Whether the job is about to be cancelled or stopped, which was asked for while another action is handled. */
  readonly isStopping: boolean;

  /** What errors say about where they happened. */
  context(operation: string): ErrorContext;

  /** Has something happen to the job. */
  dispatch(action: JobAction): void;

  /** Emits what `find` returns as soon as that is not `undefined`; asks now, and after each action. */
  waitFor<T>(find: (cancelled?: CancelOutcome) => T | undefined): Observable<T>;
}
