import type { Observable, Observer, Unsubscribable } from 'rxjs';
import type { CallMeta, JobCall } from '../http/ApiCall.js';
import { policyOf } from '../sources/PollPolicy.js';
import type { CallOptions, WatchOptions } from '../types/callOptions.js';
import type { JobSnapshot } from '../types/JobSnapshot.js';

/** How one user of a job wants it read: with headers and names of its own, even where several share the read. */
export interface ReadTerms {
  readonly options: CallOptions;
  readonly meta?: CallMeta | undefined;
}

/** How a watched job is read: also the pace and the patience are the watcher's own. */
export interface WatchRequest extends ReadTerms {
  readonly options: WatchOptions;
  /**
   * Whether only the job's end is of interest at the moment: it may be read less often while it runs, and its reads may be
   * held. Where this is `undefined`, only a caller who gives a time for it has the reads held.
   */
  readonly endOnly?: boolean | undefined;
}

/** How long the service may hold a read, unless the request says otherwise, in milliseconds: proxies cut at 30 s and later. */
const DEFAULT_HOLD = 25_000;

/**
 * How long the service may hold the reads of a watched job, in milliseconds; 0 where they are to be plain. A held read
 * tells of nothing but the job's end.
 */
export function holdOf({ options, endOnly }: WatchRequest): number {
  const { longPoll = 'auto' } = options;
  if (policyOf(options)) return 0;
  if (endOnly === false || longPoll === false) return 0;
  if (longPoll === 'auto') return endOnly ? DEFAULT_HOLD : 0;
  return longPoll;
}

/** Makes an API call whose answer is a job. */
export type CallJob = (call: JobCall, options: CallOptions) => Observable<JobSnapshot>;

/** Receives the snapshots of a watched job: a `Subscriber`, or an object that does as one. */
export interface SnapshotObserver extends Observer<JobSnapshot> {
  /** Takes the watcher as teardown: unsubscribing from the snapshots must unsubscribe it. */
  add(watcher: Unsubscribable): void;
}
