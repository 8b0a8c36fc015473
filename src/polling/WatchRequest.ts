import type { Observable, Observer, Unsubscribable } from 'rxjs';
import type { CallMeta, JobCall } from '../http/ApiCall.js';
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
  /** Only the job's end is of interest: it may be read less often while it runs. */
  readonly endOnly?: boolean | undefined;
}

/** Makes an API call whose answer is a job. */
export type CallJob = (call: JobCall, options: CallOptions) => Observable<JobSnapshot>;

/** Receives the snapshots of a watched job: a `Subscriber`, or an object that does as one. */
export interface SnapshotObserver extends Observer<JobSnapshot> {
  /** Takes the watcher as teardown: unsubscribing from the snapshots must unsubscribe it. */
  add(watcher: Unsubscribable): void;
}
