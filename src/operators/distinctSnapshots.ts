import { distinctUntilChanged, type MonoTypeOperatorFunction } from 'rxjs';
import { sameJson } from '../protocol/json.js';
import type { JobSnapshot } from '../types/JobSnapshot.js';

/**
 * Emits a snapshot when any field of its answer differs from the snapshot before. The order of keys does not count.
 *
 * Completes and errors as the source does. Unsubscribing unsubscribes from the source.
 */
export function distinctSnapshots<O>(): MonoTypeOperatorFunction<JobSnapshot<O>> {
  return distinctUntilChanged((a, b) => sameJson(a.raw, b.raw));
}
