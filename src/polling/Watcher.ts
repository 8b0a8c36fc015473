import type { Unsubscribable } from 'rxjs';
import type { Outage } from '../sources/Outage.js';
import { policyOf } from '../sources/PollPolicy.js';
import type { JobSnapshot } from '../types/JobSnapshot.js';
import type { Due } from './DueQueue.js';
import type { Followed } from './FollowedJobs.js';
import type { KnownJob, SnapshotListener } from './KnownJob.js';
import type { QueuedJob } from './QueueProbe.js';
import type { ReadRequest } from './SharedRead.js';
import { holdOf, type SnapshotObserver, type WatchRequest } from './WatchRequest.js';

/**
 * One watch of a job, as the poller keeps it: the job, the observer of its snapshots, the time of the next read, and the
 * job's progress. It decides nothing: it passes snapshots, errors and unsubscribing on to the poller. There may be a
 * hundred thousand, so a watcher is a plain record that is its own listener, request and teardown, without a closure.
 */
export class Watcher implements SnapshotListener, ReadRequest, Due, QueuedJob, Unsubscribable {
  readonly poller: WatcherOwner;
  readonly job: KnownJob;
  readonly terms: WatchRequest;
  readonly observer: SnapshotObserver;
  readonly nth: number;
  readonly watchedSince: number;
  dueAt = Infinity;
  turn = 0;
  place = -1;
  closed = false;
  awaitingRead = false;
  queuedSince: number | undefined;
  runningSince: number | undefined;
  /** The last snapshot that was passed to the observer, or was known before. */
  last: JobSnapshot | undefined;
  /** When the last answer came, or watching began. */
  answeredAt: number;
  /** When the last read was answered, or watching began. */
  readAt: number;
  /** A notice came since the last read of the job began: the job is read soon. */
  hinted = false;
  /** Set while reads fail. */
  outage: Outage | undefined;
  /** Set while an extra read is made, because the snapshot may be out of date: when the regular read was due. */
  fallbackDueAt: number | undefined;

  constructor(poller: WatcherOwner, { job, request, observer, nth, now, seen }: WatcherStart) {
    this.poller = poller;
    this.job = job;
    this.terms = request;
    this.observer = observer;
    this.nth = nth;
    this.watchedSince = now;
    this.last = seen;
    this.answeredAt = now;
    this.readAt = now;
  }

  /**
   * How long the service may hold the next read of the job, in milliseconds; 0 for a plain read. A held read tells of nothing
   * but the job's end, so the job must run.
   */
  get holdFor(): number {
    const plain = this.runningSince === undefined || !!this.outage || this.hinted || this.job.isReadPlainly;
    return plain ? 0 : holdOf(this.terms);
  }

  /** Whether a source of notices that follows the job so far tells of all that is of interest, unless its watcher has a pace of its own. */
  isToldOf(followed: Followed | undefined): boolean {
    return !policyOf(this.terms.options) && (followed === 'changes' || (followed === 'end' && !!this.terms.endOnly));
  }

  get readsPlainly(): boolean {
    return !holdOf(this.terms);
  }

  next(snapshot: JobSnapshot, byNotice = false): void {
    if (byNotice) this.poller.noticed(this, snapshot);
    else this.poller.receive(this, snapshot);
  }

  error(error: unknown): void {
    this.poller.readFailed(this, error);
  }

  refresh(): void {
    // Another listener that was refreshed first may have got the job's end at once.
    if (this.closed) return;
    if (!this.awaitingRead) this.fallbackDueAt = this.dueAt;
    this.poller.readNow(this);
  }

  hint(): void {
    this.poller.hint(this);
  }

  unfollowed(before: Followed): void {
    this.poller.unfollowed(this, before);
  }

  unsubscribe(): void {
    if (this.closed) return;
    this.closed = true;
    this.poller.remove(this);
  }
}

/** What a watcher begins with. */
export interface WatcherStart {
  readonly job: KnownJob;
  readonly request: WatchRequest;
  readonly observer: SnapshotObserver;
  readonly nth: number;
  readonly now: number;
  /** What is known of the job. */
  readonly seen: JobSnapshot | undefined;
}

/** What a watcher passes on to the poller. */
export interface WatcherOwner {
  receive(watcher: Watcher, snapshot: JobSnapshot): void;
  noticed(watcher: Watcher, snapshot: JobSnapshot): void;
  readFailed(watcher: Watcher, error: unknown): void;
  readNow(watcher: Watcher): void;
  hint(watcher: Watcher): void;
  unfollowed(watcher: Watcher, before: Followed): void;
  remove(watcher: Watcher): void;
}
