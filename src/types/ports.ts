import type { Observable } from 'rxjs';
import type { JobRequest } from './JobRequest.js';
import type { JobSnapshot } from './JobSnapshot.js';
import type { CallOptions, RunOptions } from './callOptions.js';

/** Submits jobs, as an `Endpoint` does. */
export interface JobRunner<I extends object, O> {
  /** Submits a job; emits one snapshot, with the id. */
  run(request: JobRequest<I>, call?: RunOptions): Observable<JobSnapshot<O>>;
}

/** Reads a job, as an `Endpoint` does. */
export interface StatusReader<O> {
  /** Reads a job once. */
  status(id: string, call?: CallOptions): Observable<JobSnapshot<O>>;
}

/** Cancels a job, as an `Endpoint` does. */
export interface Canceller<O> {
  /** Cancels a job; emits the answer. */
  cancel(id: string, call?: CallOptions): Observable<JobSnapshot<O>>;
}

/** Watches a job, as an `Endpoint` does. */
export interface JobWatcher<O> {
  /** Emits the job's snapshots as they change, the terminal one last. Cold: each subscription reads anew. */
  watch(id: string): Observable<JobSnapshot<O>>;
}

/** Runs a job again, as an `Endpoint` does. */
export interface JobRetrier<O> {
  /** Runs a job that FAILED or TIMED_OUT again, under the same id; emits the answer. */
  retry(id: string, call?: CallOptions): Observable<JobSnapshot<O>>;
}

/** Calls a function on behalf of an earlier caller, and returns what it returns. */
export type OnBehalf = <T>(call: () => T) => T;

/** Remembers who calls, as an `Endpoint` does for tracers. */
export interface CallerBinder {
  /**
   * Remembers who calls this: what is called within the function that it returns is on that caller's behalf. `undefined` where
   * nobody traces.
   */
  bindCaller?(): OnBehalf | undefined;
}

/** Runs jobs to their end, as an `Endpoint` does. */
export interface JobExecutor<I extends object, O> extends CallerBinder {
  /**
   * Submits a job and watches it; emits its snapshots, the terminal one last. Unsubscribing cancels the job; an error does
   * not. A property and not a method, so that TypeScript compares the type of its parameter strictly.
   */
  readonly runToEnd: (request: JobRequest<I>) => Observable<JobSnapshot<O>>;
}
