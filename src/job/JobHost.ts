import type { Observable, SchedulerLike } from 'rxjs';
import type { ErrorContext } from '../errors/RunpodError.js';
import type { StreamEvent } from '../sources/streamChunks.js';
import type { Trace } from '../transport/Trace.js';
import type { EndpointHealth } from '../types/EndpointHealth.js';
import type { JobRequest } from '../types/JobRequest.js';
import type { JobSnapshot } from '../types/JobSnapshot.js';
import type { Settled } from './settleJob.js';

/** What a job needs of its endpoint. */
export interface JobHost {
  readonly endpointId: string | undefined;
  readonly scheduler: SchedulerLike;
  /** Errors when the client is closed; never emits. */
  readonly closed$: Observable<never>;
  /** Why nothing can be done with the job: what is wrong with its options, or its reference. */
  readonly refusal: unknown;
  /** What errors say of where they happened. */
  context(operation: string, jobId?: string): ErrorContext;
  /**
   * Submits the job, within the client's rules of repeating.
   *
   * @param begun - told of the call when it is about to be made
   */
  submit(request: JobRequest<object>, begun: (trace: Trace) => void): Observable<JobSnapshot>;
  /**
   * Polls the job until it is over.
   *
   * @param finished - called when an answer says that the job is over, before its output is checked
   */
  watch(id: string, finished?: () => void): Observable<JobSnapshot>;
  /** What others are answered about the job; reads nothing. */
  heard(id: string): Observable<JobSnapshot>;
  /** Reads the job once. */
  status(id: string): Observable<JobSnapshot>;
  /**
   * Reads the job's stream, from where this client left it, or the job's reference says.
   *
   * @param finished - called when an answer says that the job is over
   */
  stream(id: string, finished: () => void): Observable<StreamEvent>;
  /** Cancels the job until that is settled, whoever listens. */
  settle(id: string, urgent: boolean, ifQueued: boolean): Observable<Settled>;
  /** When the job was submitted, as `scheduler.now()`, where that is known. */
  submittedAt(id: string): number | undefined;
  /** How long the service keeps a job from then on, in milliseconds, where its request says so. */
  ttlOf(request: JobRequest<object> | undefined): number | undefined;
  /** Whether chunks may be missing behind those that were delivered. */
  gap(id: string): boolean;
  /** Has `settled()` wait; the returned function ends that. */
  hold(): () => void;
  /** The endpoint's counts, polled once for all. */
  health(): Observable<EndpointHealth>;
}
