import type { SchedulerLike } from 'rxjs';
import { JobExpiredError } from '../errors/JobExpiredError.js';
import { RunpodError, type ErrorContext } from '../errors/RunpodError.js';
import { retryAfterMs } from '../errors/retryAfterMs.js';
import type { RateLimiter } from '../http/RateLimiter.js';
import { clampDelay } from '../protocol/clampDelay.js';
import { sameJson } from '../protocol/json.js';
import { MAX_RETRY_AFTER } from '../protocol/limits.js';
import { isTerminal } from '../protocol/snapshot.js';
import { Outage } from '../sources/Outage.js';
import { HINT_GAP, policyOf } from '../sources/PollPolicy.js';
import type { JobSnapshot } from '../types/JobSnapshot.js';
import type { PollPolicy } from '../types/PollPolicy.js';
import { ExecutionTimes } from './ExecutionTimes.js';
import type { Followed, FollowedJobs } from './FollowedJobs.js';
import { HeldJobs, type HoldingHost } from './HeldJobs.js';
import type { KnownJob } from './KnownJob.js';
import { NoticedEnds } from './NoticedEnds.js';
import { QueueProbe, type ProbeSchedule } from './QueueProbe.js';
import { ReadSchedule } from './ReadSchedule.js';
import type { StatusPollerOptions } from './StatusPollerOptions.js';
import type { SnapshotObserver, WatchRequest } from './WatchRequest.js';
import { executionOf, hasStarted, startOf } from './starts.js';
import { Watcher, type WatcherOwner } from './Watcher.js';
import { SAFETY_NET, nextReadAt } from './nextReadAt.js';

/** How long reads may fail in a row, unless the request says otherwise, in milliseconds. */
const DEFAULT_OUTAGE = 300_000;

/** The longest pause between two probes of a queue whose jobs take long, in milliseconds. */
const MAX_PROBE_DELAY = 5_000;

/**
 * Reads all watched jobs of an endpoint by one schedule. `HeldJobs` decides which running jobs have their reads held,
 * `nextReadAt` when any other running job is due again, and `QueueProbe` which queued
 * jobs are read at all. A failed read is repeated at the same pace until the watcher's patience is over.
 */
export class StatusPoller implements WatcherOwner, ProbeSchedule<Watcher>, HoldingHost<Watcher> {
  readonly #scheduler: SchedulerLike;
  readonly #policy: PollPolicy;
  readonly #context: (jobId: string) => ErrorContext;
  readonly #rateLimiter: RateLimiter | undefined;
  readonly #heldJobs: HeldJobs<Watcher>;
  readonly #release: (job: KnownJob) => void;
  readonly #schedule: ReadSchedule;
  readonly #queue: QueueProbe<Watcher>;
  readonly #executions = new ExecutionTimes();
  readonly #noticedEnds = new NoticedEnds();
  readonly #followedJobs: Pick<FollowedJobs, 'get'>;

  constructor({ scheduler, policy, context, rateLimiter, heldReads, release, followedJobs }: StatusPollerOptions) {
    this.#scheduler = scheduler;
    this.#policy = policy;
    this.#context = context;
    this.#rateLimiter = rateLimiter;
    this.#heldJobs = new HeldJobs({
      scheduler,
      reads: heldReads,
      executions: this.#executions,
      plainRate: () => rateLimiter?.rate ?? Infinity,
      host: this,
    });
    this.#release = release;
    this.#followedJobs = followedJobs;
    this.#queue = new QueueProbe((probe, sinceProgress) => this.#probeDelay(probe, sinceProgress), this);
    const probe = () => this.#queue.probe;
    this.#schedule = new ReadSchedule({ scheduler, rateLimiter, heldJobs: this.#heldJobs, probe });
  }

  /**
   * Watches a job. The observer receives each snapshot that differs from the one before, the terminal one last, or an
   * error once reading has failed for too long.
   *
   * @param seen - the last known snapshot. The next read of the job is planned from there; without one, nothing is read
   *   before `readNow`
   */
  add(job: KnownJob, request: WatchRequest, observer: SnapshotObserver, seen?: JobSnapshot): Watcher {
    const nth = this.#schedule.turns;
    const watcher = new Watcher(this, { job, request, observer, nth, now: this.#scheduler.now(), seen });
    job.addListener(watcher);
    this.#schedule.rest(watcher);
    observer.add(watcher);
    if (seen && !watcher.closed) {
      if (hasStarted(seen)) this.#noteStart(watcher, seen, false);
      this.#planRead(watcher, seen);
    }
    return watcher;
  }

  /** Reads a watcher's job at once, or as soon as the limits allow. */
  readNow(watcher: Watcher): void {
    if (!watcher.closed && !watcher.awaitingRead) this.#schedule.readNow(watcher);
  }

  readAt(watcher: Watcher, at: number): void {
    // The caller's own policy, which was asked for this time, may have unsubscribed.
    if (!watcher.closed) this.#schedule.readAt(watcher, at);
  }

  /**
   * Plans the next read of a job whose start was inferred. A watcher of all snapshots should see the job run, so the job
   * is read at once for it.
   */
  startInferred(watcher: Watcher): void {
    if (watcher.terms.endOnly) this.#readNext(watcher);
    else this.readAt(watcher, this.#scheduler.now());
  }

  /**
   * Reads a job soon, because a notice says that it may have changed: half a second after the last answer at the earliest,
   * so that notices of any rate cause no more reads than the fastest pace does. They postpone no read. After a failed read,
   * the service is given its pause.
   */
  hint(watcher: Watcher): void {
    if (watcher.closed || watcher.outage) return;
    watcher.hinted = true;
    if (watcher.awaitingRead) {
      // The answer to a plain read comes soon. That to a held read may take minutes, so a plain one takes its place.
      if (!watcher.job.isHeldRead) return;
      this.#leaveRead(watcher);
    }
    this.#readSoon(watcher);
  }

  holdNow(watcher: Watcher): void {
    // The request that was aborted for it may have told the caller, who may have unsubscribed.
    if (!watcher.closed) this.#schedule.hold(watcher);
  }

  /** Another job is likelier to end: this one is read plainly. */
  giveUpHold(watcher: Watcher): void {
    watcher.awaitingRead = false;
    // If the job had ended, the service would have said so.
    watcher.answeredAt = this.#scheduler.now();
    watcher.job.leaveRead(watcher);
    // To abort the request runs foreign code, which may have the job read, or have unsubscribed.
    if (!watcher.closed && !(watcher.awaitingRead as boolean)) this.#readNext(watcher);
  }

  receive(watcher: Watcher, snapshot: JobSnapshot): void {
    if (watcher.closed) return;
    const byPlainRead = watcher.awaitingRead && !this.#heldJobs.has(watcher);
    this.#leaveRead(watcher);
    watcher.readAt = this.#scheduler.now();
    watcher.outage = undefined;
    watcher.fallbackDueAt = undefined;
    if (isTerminal(snapshot)) this.#noticedEnds.read(watcher.job.id, watcher.readAt);
    this.#pass(watcher, snapshot, byPlainRead);
    if (!(watcher.closed as boolean) && !watcher.awaitingRead) this.#planRead(watcher, snapshot);
  }

  /**
   * A notice that its source vouches for told of a job's state. A plain read in flight goes on, as do the plans for the next
   * one: notices of any rate do not keep a job from being read.
   */
  noticed(watcher: Watcher, snapshot: JobSnapshot): void {
    if (watcher.closed) return;
    const { status } = watcher.last ?? {};
    if (isTerminal(snapshot)) this.#leaveRead(watcher);
    this.#pass(watcher, snapshot, false);
    if (watcher.closed as boolean) return;
    if (this.#isFollowed(watcher)) this.#followed(watcher);
    else if (!watcher.awaitingRead && snapshot.status !== status && !watcher.outage) {
      const { dueAt } = watcher;
      this.#planRead(watcher, snapshot);
      if (dueAt < watcher.dueAt) this.readAt(watcher, dueAt);
    }
  }

  /** Passes a snapshot on to the observer of a watcher, which is over after the last one. */
  #pass(watcher: Watcher, snapshot: JobSnapshot, byPlainRead: boolean): void {
    const { job, last, observer } = watcher;
    watcher.answeredAt = this.#scheduler.now();
    if (hasStarted(snapshot)) this.#noteStart(watcher, snapshot, byPlainRead);
    // Keep one of two equal snapshots in memory: the one that the observer has.
    if (last && sameJson(last.raw, snapshot.raw)) job.last = last;
    else observer.next((watcher.last = snapshot));
    if (!isTerminal(snapshot)) return;
    observer.complete();
    watcher.unsubscribe();
  }

  /** Notices will tell of all that is of interest of a job: it is neither held nor probed, and read as a safety net. */
  #followed(watcher: Watcher): void {
    this.#queue.leave(watcher, this.#scheduler.now());
    if (watcher.awaitingRead && !watcher.job.isHeldRead) return;
    watcher.outage = undefined;
    this.#leaveRead(watcher);
    // To abort the request runs foreign code, which may have the job read.
    if (!watcher.awaitingRead) this.#readNext(watcher);
  }

  /** Notices do not tell of a job any more: it is read soon, a queued one by the probe of the queue. */
  unfollowed(watcher: Watcher, before: Followed): void {
    const { last } = watcher;
    if (watcher.closed || !watcher.isToldOf(before)) return;
    if (!watcher.awaitingRead && last?.status === 'IN_QUEUE') this.#planRead(watcher, last);
    else this.hint(watcher);
  }

  readFailed(watcher: Watcher, error: unknown): void {
    const { fallbackDueAt, terms } = watcher;
    if (watcher.closed) return;
    this.#leaveRead(watcher);
    watcher.fallbackDueAt = undefined;
    // A refresh that fails changes nothing: the job is read when it was due before.
    if (fallbackDueAt !== undefined) {
      this.readAt(watcher, fallbackDueAt);
      return;
    }
    // The job had ended before it was read: what is known of execution times is wrong.
    if (error instanceof JobExpiredError) this.#executions.clear();
    if (!(error instanceof RunpodError && error.retryable)) {
      watcher.observer.error(error);
      return;
    }
    const now = this.#scheduler.now();
    const outage = (watcher.outage ??= new Outage(terms.options.outage ?? DEFAULT_OUTAGE));
    outage.addFailure(now);
    const planned = this.#nextReadAt(watcher);
    if (planned === undefined) return;
    const at = Math.max(planned, now + Math.min(MAX_RETRY_AFTER, clampDelay(retryAfterMs(error))));
    if (outage.allowsPause(at - now)) this.readAt(watcher, at);
    else watcher.observer.error(error);
  }

  /** A notice that its source vouches for told of a job's end, as the first or not. */
  endNoticed(id: string, isNews: boolean): void {
    // What the source of notices follows says nothing about other jobs.
    if (!this.#followedJobs.get(id)) this.#noticedEnds.noticed(id, isNews);
  }

  /** Forgets a watcher that has unsubscribed or completed. */
  remove(watcher: Watcher): void {
    const { job } = watcher;
    job.removeListener(watcher);
    job.leaveRead(watcher);
    this.#heldJobs.leave(watcher);
    this.#schedule.remove(watcher);
    this.#queue.remove(watcher, this.#scheduler.now());
    this.#release(job);
  }

  /** Plans the next read after a snapshot that is not the last one. */
  #planRead(watcher: Watcher, { status }: JobSnapshot): void {
    const { submittedAt } = watcher.job;
    const isProbed = submittedAt !== undefined && !policyOf(watcher.terms.options) && !this.#isFollowed(watcher);
    if (status === 'IN_QUEUE' && isProbed) {
      this.#schedule.rest(watcher);
      this.#queue.queued(watcher, submittedAt, this.#scheduler.now());
    } else this.#readNext(watcher);
    if (watcher.hinted) this.#readSoon(watcher);
  }

  /** The read of a watcher's job is over, or is given up. */
  #leaveRead(watcher: Watcher): void {
    watcher.awaitingRead = false;
    this.#heldJobs.leave(watcher);
    watcher.job.leaveRead(watcher);
  }

  /** Whether notices will tell of all of a job that a watcher wants to know, and at the default pace. */
  #isFollowed(watcher: Watcher): boolean {
    return watcher.isToldOf(this.#followedJobs.get(watcher.job.id));
  }

  #readNext(watcher: Watcher): void {
    const isToldOf = this.#noticedEnds.areAll || this.#isFollowed(watcher);
    if (watcher.holdFor && !isToldOf && this.#heldJobs.take(watcher)) {
      this.holdNow(watcher);
      return;
    }
    const at = this.#nextReadAt(watcher);
    if (at !== undefined) this.readAt(watcher, at);
  }

  /** Reads a job as soon as a notice may have it read, unless it is due before. */
  #readSoon(watcher: Watcher): void {
    const at = Math.max(this.#scheduler.now(), watcher.answeredAt + HINT_GAP);
    if (at < watcher.dueAt) this.readAt(watcher, at);
  }

  /**
   * How long after an answer the queue is probed again. Where only the ends are of interest, and held reads will tell of
   * them, a start may become known some time before the first jobs can end.
   */
  #probeDelay({ terms }: Watcher, sinceProgress: number): number {
    const delay = this.#policy({ age: sinceProgress, failures: 0 });
    if (!terms.endOnly) return delay;
    if (this.#noticedEnds.areAll) return SAFETY_NET;
    return this.#heldJobs.areInUse ? Math.max(delay, Math.min(MAX_PROBE_DELAY, this.#executions.shortTime / 4)) : delay;
  }

  /** When a job is read next; `undefined` where the caller's own policy failed, which ends the watch. */
  #nextReadAt(watcher: Watcher): number | undefined {
    const { terms, job, watchedSince, outage, last, runningSince } = watcher;
    const now = this.#scheduler.now();
    try {
      return nextReadAt({
        now,
        age: now - (job.submittedAt ?? watchedSince),
        runningSince,
        failures: outage?.failures ?? 0,
        snapshot: last,
        endOnly: terms.endOnly ?? false,
        besideHeld: this.#heldJobs.areInUse,
        endsAreNoticed: this.#noticedEnds.areAll,
        isFollowed: this.#isFollowed(watcher),
        readAt: watcher.readAt,
        ownPolicy: policyOf(terms.options),
        defaultPolicy: this.#policy,
        executions: this.#executions,
        rate: this.#rateLimiter?.rate ?? Infinity,
        jobsToRead: this.#schedule.length - this.#queue.length - this.#heldJobs.size,
        context: this.#context(job.id),
      });
    } catch (error) {
      watcher.observer.error(error);
      return undefined;
    }
  }

  /** The service says that a job runs or has run. Its numbers may be wrong: nothing began before the submission. */
  #noteStart(watcher: Watcher, snapshot: JobSnapshot, byPlainRead: boolean): void {
    const now = this.#scheduler.now();
    watcher.runningSince = startOf(watcher, snapshot, now);
    const execution = executionOf(watcher, snapshot, now);
    if (execution !== undefined) this.#executions.add(execution, now, byPlainRead);
    this.#queue.started(watcher, watcher.runningSince, now);
  }
}
