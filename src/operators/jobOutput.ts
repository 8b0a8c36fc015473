import type { Observable } from 'rxjs';
import { mergeMap, of, throwError, EMPTY, type OperatorFunction } from 'rxjs';
import { jobError } from '../errors/jobError.js';
import { isTerminal } from '../protocol/snapshot.js';
import type { JobSnapshot } from '../types/JobSnapshot.js';
import { untilTerminal } from './untilTerminal.js';

/**
 * Turns the snapshots of one job into its output: one value when it completes, and an error when it ends otherwise.
 *
 * ```ts
 * endpoint.watch(id).pipe(jobOutput()).subscribe((output) => console.log(output));
 * ```
 *
 * - A job that completed without output emits `undefined`.
 * - A job that FAILED errors with `JobFailedError`, or `JobDeadlineError` where it exceeded its executionTimeout; CANCELLED with
 *   `JobCancelledError`; TIMED_OUT with `JobTimedOutError`. Each error has the snapshot.
 * - Where the source completes before the job is over, the result completes without a value.
 * - Errors of the source go through.
 *
 * Unsubscribing unsubscribes from the source and does nothing to the job.
 */
export function jobOutput<O>(): OperatorFunction<JobSnapshot<O>, O> {
  return (source: Observable<JobSnapshot<O>>) =>
    source.pipe(
      untilTerminal(),
      mergeMap((snapshot) => {
        if (!isTerminal(snapshot)) return EMPTY;
        return snapshot.status === 'COMPLETED'
          ? of(snapshot.output)
          : throwError(() => jobError(snapshot, { operation: 'status' }));
      }),
    );
}
