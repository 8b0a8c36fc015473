import { takeWhile, type MonoTypeOperatorFunction } from 'rxjs';
import { isTerminal } from '../protocol/snapshot.js';
import type { JobSnapshot } from '../types/JobSnapshot.js';

/**
 * Emits the snapshots of a job until it is over: after the terminal snapshot it completes and unsubscribes from the source.
 *
 * ```ts
 * interval(5000).pipe(switchMap(() => endpoint.status(id)), untilTerminal());
 * ```
 *
 * That line is the simplest way to poll. Use `pollStatus` instead, because `switchMap` drops each answer that takes longer
 * than the interval.
 *
 * Errors as the source does. Unsubscribing unsubscribes from the source and does nothing to the job.
 */
export function untilTerminal<O>(): MonoTypeOperatorFunction<JobSnapshot<O>> {
  return takeWhile((snapshot) => !isTerminal(snapshot), true);
}
