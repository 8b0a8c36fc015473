import { distinctUntilChanged, filter, map, type OperatorFunction } from 'rxjs';
import { sameJson } from '../protocol/json.js';
import type { JobSnapshot, RunningSnapshot } from '../types/JobSnapshot.js';
import { untilTerminal } from './untilTerminal.js';

/**
 * Turns the snapshots of one job into its progress updates: emits `progress` where a snapshot carries one that differs
 * from the one before, however deep, and completes when the job is over, whatever its status.
 *
 * ```ts
 * endpoint.watch(id).pipe(jobProgress<{ percent: number }>()).subscribe(({ percent }) => console.log(percent));
 * ```
 *
 * - The service keeps the latest update only: one that is replaced between two reads is never seen.
 * - A job that failed is no error here; see `jobOutput`. Errors as the source does.
 * - `P` is your assertion: the endpoint's schemas do not cover progress.
 *
 * Unsubscribing leaves the source and does nothing to the job.
 */
export function jobProgress<P = unknown>(): OperatorFunction<JobSnapshot, P> {
  return (source) =>
    source.pipe(
      untilTerminal(),
      // A worker may say `null`, which is an update as well.
      filter((snapshot): snapshot is RunningSnapshot => 'progress' in snapshot),
      map(({ progress }) => progress as P),
      distinctUntilChanged<P>(sameJson),
    );
}
