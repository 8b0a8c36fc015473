import { distinctUntilChanged, type MonoTypeOperatorFunction } from 'rxjs';
import { sameJson } from '../protocol/json.js';
import type { JobSnapshot } from '../types/JobSnapshot.js';

/**
 * Passes a snapshot on when it differs from the one before, in any field of the answer; the order of keys does not count.
 *
 * Completes and errors as the source does. Unsubscribing leaves the source.
 */
export function distinctSnapshots<O>(): MonoTypeOperatorFunction<JobSnapshot<O>> {
  return distinctUntilChanged((a, b) => sameJson(a.raw, b.raw));
}
