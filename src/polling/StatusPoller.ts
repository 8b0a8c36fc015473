import { Subscription, type SchedulerLike } from 'rxjs';
import { JobExpiredError } from '../errors/JobExpiredError.js';
import { RunpodError, type ErrorContext } from '../errors/RunpodError.js';
import { retryAfterMs } from '../errors/retryAfterMs.js';
import type { RateLimiter } from '../http/RateLimiter.js';
import { clampDelay } from '../protocol/clampDelay.js';
import { sameJson } from '../protocol/json.js';
import { MAX_RETRY_AFTER, MAX_TIMER } from '../protocol/limits.js';
import { isTerminal } from '../protocol/snapshot.js';
import { Outage } from '../sources/Outage.js';
import { HINT_GAP, policyOf } from '../sources/PollPolicy.js';
import type { JobSnapshot } from '../types/JobSnapshot.js';
import type { PollPolicy } from '../types/PollPolicy.js';
import { DueQueue } from './DueQueue.js';
import { ExecutionTimes } from './ExecutionTimes.js';
import type { HeldReads } from './HeldReads.js';
import type { KnownJob } from './KnownJob.js';
import { QueueProbe, type ProbeSchedule } from './QueueProbe.js';
import type { SnapshotObserver, WatchRequest } from './WatchRequest.js';
import { Watcher, type WatcherOwner } from './Watcher.js';
import { nextReadAt } from './nextReadAt.js';

/** How long reads may fail in a row, unless the request says otherwise, in milliseconds. */
const DEFAULT_OUTAGE = 300_000;

/**
 * Reads all watched jobs of an endpoint by one schedule with one timer. Jobs that are due are read as far as the limits
 * allow, the longest overdue first. `nextReadAt` decides when a running job is due again, and `QueueProbe` which queued
 * jobs are read at all. A failed read is repeated at the same pace until the watcher's patience is over.
 */
export class StatusPoller implements WatcherOwner, ProbeSchedule<Watcher> {
  readonly #scheduler: SchedulerLike;
  readonly #policy: PollPolicy;
  readonly #context: (jobId: string) => ErrorContext;
  readonly #rateLimiter: RateLimiter | undefined;
  readonly #heldReads: HeldReads;
  readonly #release: (job: KnownJob) => void;
  /** All watchers, by when their next read is due. */
  readonly #due = new DueQueue<Watcher>();
  readonly #queue: QueueProbe<Watcher>;
  readonly #executions = new ExecutionTimes();
  #readingDueJobs = false;
  /** The limits allow no read now; the rate limiter calls back once they do. */
  #blocked = false;
  #timer = Subscription.EMPTY;
  #timerAt = Infinity;

  constructor({ scheduler, policy, context, rateLimiter, heldReads, release }: StatusPollerOptions) {
    this.#scheduler = scheduler;
    this.#policy = policy;
    this.#context = context;
    this.#rateLimiter = rateLimiter;
    this.#heldReads = heldReads;
    this.#release = release;
    this.#queue = new QueueProbe(policy, this);
  }

  /**
   * Watches a job. The observer receives each snapshot that differs from the one before, the terminal one last, or an
   * error once reading has failed for too long.
   *
   * @param seen - the last known snapshot. The next read of the job is planned from there; without one, nothing is read
   *   before `readNow`
   */
  add(job: KnownJob, request: WatchRequest, observer: SnapshotObserver, seen?: JobSnapshot): Watcher {
    const nth = this.#due.turns;
    const watcher = new Watcher(this, { job, request, observer, nth, now: this.#scheduler.now(), seen });
    job.addListener(watcher);
    this.#due.set(watcher, Infinity);
    observer.add(watcher);
    if (seen && !watcher.closed) this.#planRead(watcher, seen);
    return watcher;
  }

  /** Reads a watcher's job at once, or as soon as the limits allow. */
  readNow(watcher: Watcher): void {
    if (watcher.closed || watcher.awaitingRead) return;
    const holdFor = this.#takeTurn(watcher);
    if (holdFor === undefined) this.readAt(watcher, this.#scheduler.now());
    else watcher.job.read(watcher, holdFor);
  }

  readAt(watcher: Watcher, at: number): void {
    // The caller's own policy, which was asked for this time, may have unsubscribed.
    if (watcher.closed) return;
    this.#due.set(watcher, at);
    this.#setTimer();
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
      watcher.awaitingRead = false;
      watcher.job.leaveRead(watcher);
    }
    this.#readSoon(watcher);
  }

  receive(watcher: Watcher, snapshot: JobSnapshot): void {
    const { job, last, observer } = watcher;
    if (watcher.closed) return;
    watcher.awaitingRead = false;
    job.leaveRead(watcher);
    watcher.answeredAt = this.#scheduler.now();
    watcher.outage = undefined;
    watcher.fallbackDueAt = undefined;
    if (hasStarted(snapshot)) this.#noteStart(watcher, snapshot);
    // Keep one of two equal snapshots in memory: the one that the observer has.
    if (last && sameJson(last.raw, snapshot.raw)) job.last = last;
    else observer.next((watcher.last = snapshot));
    if (isTerminal(snapshot)) {
      observer.complete();
      watcher.unsubscribe();
    } else if (!(watcher.closed as boolean) && !(watcher.awaitingRead as boolean)) this.#planRead(watcher, snapshot);
  }

  readFailed(watcher: Watcher, error: unknown): void {
    const { fallbackDueAt, terms } = watcher;
    if (watcher.closed) return;
    watcher.awaitingRead = false;
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

  /** Forgets a watcher that has unsubscribed or completed. */
  remove(watcher: Watcher): void {
    const { job } = watcher;
    job.removeListener(watcher);
    job.leaveRead(watcher);
    this.#due.remove(watcher);
    this.#queue.remove(watcher, this.#scheduler.now());
    this.#release(job);
    if (this.#due.length) return;
    this.#timer.unsubscribe();
    this.#timerAt = Infinity;
    this.#rateLimiter?.stopWaiting(this.#readDueJobs);
  }

  /** Plans the next read after a snapshot that is not the last one. */
  #planRead(watcher: Watcher, { status }: JobSnapshot): void {
    const { submittedAt } = watcher.job;
    if (status === 'IN_QUEUE' && submittedAt !== undefined && !policyOf(watcher.terms.options)) {
      this.#due.set(watcher, Infinity);
      this.#queue.queued(watcher, submittedAt, this.#scheduler.now());
    } else this.#readNext(watcher);
    if (watcher.hinted) this.#readSoon(watcher);
  }

  #readNext(watcher: Watcher): void {
    const at = this.#nextReadAt(watcher);
    if (at !== undefined) this.readAt(watcher, at);
  }

  /** Reads a job as soon as a notice may have it read, unless it is due before. */
  #readSoon(watcher: Watcher): void {
    const at = Math.max(this.#scheduler.now(), watcher.answeredAt + HINT_GAP);
    if (at < watcher.dueAt) this.readAt(watcher, at);
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
        canHold: this.#holdFor(watcher) > 0,
        ownPolicy: policyOf(terms.options),
        defaultPolicy: this.#policy,
        executions: this.#executions,
        rate: this.#rateLimiter?.rate ?? Infinity,
        jobsToRead: this.#due.length - this.#queue.length,
        context: this.#context(job.id),
      });
    } catch (error) {
      watcher.observer.error(error);
      return undefined;
    }
  }

  /**
   * How long the service may hold the next read of a job, in milliseconds; 0 for a plain read. A held read tells of
   * nothing but the job's end, so the job must run.
   */
  #holdFor({ terms: { options }, outage, hinted, runningSince }: Watcher): number {
    const { longPoll } = options;
    const plain = runningSince === undefined || !!outage || hinted || policyOf(options);
    return longPoll && !plain && this.#heldReads.available ? longPoll : 0;
  }

  /** The service says that a job runs or has run. Its numbers may be wrong: nothing began before the submission. */
  #noteStart(watcher: Watcher, { status, delayTime = NaN, executionTime }: JobSnapshot): void {
    const now = this.#scheduler.now();
    const { submittedAt } = watcher.job;
    const startedAt =
      submittedAt !== undefined && delayTime >= 0
        ? Math.min(now, submittedAt + delayTime)
        : (watcher.runningSince ?? now);
    watcher.runningSince = startedAt;
    if (status === 'COMPLETED' && executionTime !== undefined)
      this.#executions.add(Math.min(executionTime, now - (submittedAt ?? -Infinity)), now);
    this.#queue.started(watcher, startedAt, now);
  }

  /**
   * Takes a watcher out of the schedule for a read, if the limits allow one now.
   *
   * @returns how long the service may hold the read; `undefined` where no read may be made
   */
  #takeTurn(watcher: Watcher): number | undefined {
    const holdFor = this.#holdFor(watcher);
    // Held reads have a limit of their own, which `#holdFor` asks.
    if (!holdFor) {
      this.#blocked = (this.#rateLimiter?.freePlaces(this.#readDueJobs) ?? 1) <= 0;
      if (this.#blocked) return undefined;
    }
    watcher.awaitingRead = true;
    watcher.hinted = false;
    this.#due.set(watcher, Infinity);
    return holdFor;
  }

  /** Reads the jobs that are due, as far as the limits allow. */
  readonly #readDueJobs = (): void => {
    if (this.#readingDueJobs) return;
    this.#readingDueJobs = true;
    this.#blocked = false;
    const now = this.#scheduler.now();
    // The probe goes first, since its answer may tell of many jobs.
    const { probe } = this.#queue;
    if (probe && probe.dueAt <= now) {
      const holdFor = this.#takeTurn(probe);
      if (holdFor !== undefined) probe.job.read(probe, holdFor);
    }
    // A job that is answered at once and is due again at once waits until the others were read.
    const { turns } = this.#due;
    let watcher = this.#due.first;
    while (watcher && watcher.dueAt <= now && watcher.turn < turns) {
      const holdFor = this.#takeTurn(watcher);
      if (holdFor === undefined) break;
      watcher.job.read(watcher, holdFor);
      watcher = this.#due.first;
    }
    this.#readingDueJobs = false;
    this.#setTimer();
  };

  /** Sets the timer for the job that is due first, unless the rate limiter will call back. */
  #setTimer(): void {
    const at = this.#due.first?.dueAt ?? Infinity;
    const now = this.#scheduler.now();
    const waitsForLimits = this.#blocked && at <= now;
    if (this.#readingDueJobs || at >= this.#timerAt || at === Infinity || waitsForLimits) return;
    this.#timer.unsubscribe();
    this.#timerAt = at;
    this.#timer = this.#scheduler.schedule(
      () => {
        this.#timerAt = Infinity;
        this.#readDueJobs();
      },
      Math.min(MAX_TIMER, Math.max(0, at - now)),
    );
  }
}

/** What a {@link StatusPoller} works with. */
export interface StatusPollerOptions {
  /** All time comes from it. */
  readonly scheduler: SchedulerLike;
  /** Decides the pace for watchers that bring no policy of their own. */
  readonly policy: PollPolicy;
  /** What errors say of a job. */
  readonly context: (jobId: string) => ErrorContext;
  /** Limits plain reads. */
  readonly rateLimiter: RateLimiter | undefined;
  /** Says whether a read may be held. */
  readonly heldReads: HeldReads;
  /** Called with a watcher's job when the watcher is removed. */
  readonly release: (job: KnownJob) => void;
}

/** Whether a snapshot says that its job runs or has run. A cancelled job may never have. */
function hasStarted({ status }: JobSnapshot): boolean {
  return status !== 'CANCELLED' && status !== 'IN_QUEUE' && status !== 'UNKNOWN';
}
