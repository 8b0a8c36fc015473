import { takeWhile, type MonoTypeOperatorFunction } from 'rxjs';
import { isTerminal } from '../protocol/snapshot.js';
import type { JobSnapshot } from '../types/JobSnapshot.js';

/**
 * Passes snapshots on until the job is over: the terminal one is the last, then it completes and leaves the source.
 *
 * ```ts
 * interval(5000).pipe(switchMap(() => endpoint.status(id)), untilTerminal());
 * ```
 *
 * That line is polling as one would draw it; `pollStatus` is the one to use, because `switchMap` drops an answer that
 * takes longer than the interval.
 *
 * Errors as the source does. Unsubscribing leaves the source and does nothing to the job.
 */
export function untilTerminal<O>(): MonoTypeOperatorFunction<JobSnapshot<O>> {
  return takeWhile((snapshot) => !isTerminal(snapshot), true);
}
