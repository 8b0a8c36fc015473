import type { Observable, Observer, Unsubscribable } from 'rxjs';
import type { JobSnapshot } from '../types/JobSnapshot.js';
import type { WatchOptions } from '../types/callOptions.js';

/**
 * How a watched job is read. Each watcher brings its own request: its headers, its pace and its patience are its own,
 * even where several watchers share the reads of a job.
 */
export interface WatchRequest {
  readonly readJob: ReadJob;
  readonly options: WatchOptions;
  /** Only the job's end is of interest: it may be read less often while it runs. */
  readonly endOnly?: boolean | undefined;
}

/** Reads a job once. The service may hold its answer for `holdFor` milliseconds; 0 or nothing asks for a plain read. */
export type ReadJob = (holdFor?: number) => Observable<JobSnapshot>;

/** Receives the snapshots of a watched job: a `Subscriber`, or an object that does as one. */
export interface SnapshotObserver extends Observer<JobSnapshot> {
  /** Takes the watcher as teardown: unsubscribing from the snapshots must unsubscribe it. */
  add(watcher: Unsubscribable): void;
}
