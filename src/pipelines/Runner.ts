import type { Observable, ObservableInput } from 'rxjs';
import type { JobRequest } from '../types/JobRequest.js';
import type { JobSnapshot } from '../types/JobSnapshot.js';
import type { OnBehalf } from '../types/ports.js';
import type { PipelineItem } from './PipelineItem.js';

/**
 * Runs one job to its end. Cold: each subscription runs another job. Emits the snapshots of the job as they come, the
 * terminal one last; a job that FAILED is data. Unsubscribing cancels the job; an error does not. `SkippedError` says that
 * there is nothing to do for the input: the pipeline emits no item for it.
 *
 * @param index - the number of the input in its pipeline, from 0
 * @param attempt - how many times the pipeline has given the input to the runner, this time included: from 2 on, the attempt
 * before has failed
 */
export interface Runner<I extends object = Record<string, unknown>, O = unknown> {
  (request: JobRequest<I>, index: number, attempt?: number): Observable<JobSnapshot<O>>;
  /**
   * Called by a pipeline when the result of an input is final, and the option `commit` has stored it; awaited until it
   * completes. For a runner that remembers which results were stored. Not called without `commit`. `hedge` and `failover` pass it
   * on to all of their runners.
   */
  committed?(this: void, item: PipelineItem<I, O>): ObservableInput<unknown>;
  /** Called by a pipeline for who gives it an input, which it runs later: see `bindCaller` of an endpoint. */
  bindCaller?(this: void): OnBehalf | undefined;
}
