import { distinctUntilChanged, filter, map, type OperatorFunction } from 'rxjs';
import { sameJson } from '../protocol/json.js';
import type { JobSnapshot, RunningSnapshot } from '../types/JobSnapshot.js';
import { untilTerminal } from './untilTerminal.js';

/**
 * Turns the snapshots of one job into its progress updates: emits `progress` where a snapshot has one that differs from the
 * update before, and completes when the job is over, whatever its status.
 *
 * ```ts
 * endpoint.watch(id).pipe(jobProgress<{ percent: number }>()).subscribe(({ percent }) => console.log(percent));
 * ```
 *
 * - The service keeps only the latest update, so an update that is replaced between two reads is not emitted.
 * - A job that failed is no error here; see `jobOutput`. Errors of the source go through.
 * - `P` is not checked: the endpoint's schemas do not cover progress.
 *
 * Unsubscribing unsubscribes from the source and does nothing to the job.
 */
export function jobProgress<P = unknown>(): OperatorFunction<JobSnapshot, P> {
  return (source) =>
    source.pipe(
      untilTerminal(),
      // `null` is an update as well.
      filter((snapshot): snapshot is RunningSnapshot => 'progress' in snapshot),
      map(({ progress }) => progress as P),
      distinctUntilChanged<P>(sameJson),
    );
}
