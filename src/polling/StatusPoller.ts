import { Subscription, type Observable, type Observer, type SchedulerLike, type Unsubscribable } from 'rxjs';
import { RunpodError } from '../errors/RunpodError.js';
import { sameJson } from '../protocol/json.js';
import { MAX_TIMER } from '../protocol/limits.js';
import { isTerminal } from '../protocol/snapshot.js';
import { retryAfterMs } from '../errors/retryAfterMs.js';
import { clampDelay } from '../protocol/clampDelay.js';
import { policyOf } from '../sources/PollPolicy.js';
import type { PollPolicy } from '../types/PollPolicy.js';
import type { JobSnapshot } from '../types/JobSnapshot.js';
import { lowerBound } from './lowerBound.js';
import { DueQueue, type Due } from './DueQueue.js';
import { ExecutionTimes } from './ExecutionTimes.js';
import type { ReadRequest, ReadJob, KnownJob, SnapshotListener } from './KnownJob.js';
import { HeldReads } from './HeldReads.js';
import type { RateLimiter } from '../http/RateLimiter.js';
import type { WatchOptions } from '../types/callOptions.js';

/** How one who watches a job wants it read. */
export interface WatchRequest {
  readonly readJob: ReadJob;
  readonly options: WatchOptions;
  /** Only the end is of interest. */
  readonly endOnly?: boolean | undefined;
}

/** Where the snapshots of a watched job go: a subscriber, or what does as one. */
export interface SnapshotObserver extends Observer<JobSnapshot> {
  /** Whose leaving stops them. */
  add(watcher: Unsubscribable): void;
}

/** Within what time each of a few queued jobs is looked at, and after what time the next one at the earliest; in milliseconds. */
const ROUND = 30_000;
const ROUND_PACE = 500;

/** How soon after an answer a job that runs is read again, in milliseconds. */
const SOONEST = 250;

/** How likely a job is to be over when it is read, at least and at most. */
const LEAST_CHANCE = 0.08;
const MOST_CHANCE = 0.8;

/** Which part of what the limits allow goes to that. */
const SPENT = 0.9;

/** How long reads may fail in a row where nothing is said, in milliseconds. */
const OUTAGE = 300_000;

/** One who watches a job: a plain record. */
class Watcher implements SnapshotListener, ReadRequest, Due, Unsubscribable {
  readonly board: StatusPoller;
  readonly job: KnownJob;
  readonly terms: WatchRequest;
  readonly sink: SnapshotObserver;
  /** Tells those apart that were submitted at the same moment. */
  readonly nth: number;
  readonly since: number;
  /** When it wants the next answer, as `scheduler.now()`. */
  at = Infinity;
  turn = 0;
  place = -1;
  closed = false;
  /** It waits for a read. */
  asking = false;
  /** When its job was submitted, while it waits behind older jobs that were queued when last heard of. */
  queuedSince: number | undefined;
  /** When its job ran at the latest. */
  runningSince: number | undefined;
  last: JobSnapshot | undefined;
  good: number;
  failures = 0;
  /** It is read only because it may be out of date: when it wants the next answer where that fails. */
  otherwise: number | undefined;

  constructor(
    board: StatusPoller,
    job: KnownJob,
    terms: WatchRequest,
    sink: SnapshotObserver,
    nth: number,
    seen?: JobSnapshot,
  ) {
    this.board = board;
    this.job = job;
    this.terms = terms;
    this.sink = sink;
    this.nth = nth;
    this.since = this.good = board.now();
    this.last = seen;
  }

  fetch(wait?: number): Observable<JobSnapshot> {
    return this.board.longPoll.read(this.terms, wait);
  }

  next(snapshot: JobSnapshot): void {
    this.board.heard(this, snapshot);
  }

  error(error: unknown): void {
    this.board.failed(this, error);
  }

  refresh(): void {
    // Another who was told before it may have had the answer at once.
    if (this.closed) return;
    if (!this.asking) this.otherwise = this.at;
    this.board.hurry(this);
  }

  /** It leaves. */
  unsubscribe(): void {
    if (this.closed) return;
    this.closed = true;
    this.board.left(this);
  }
}

/**
 * One schedule for all watched jobs of an endpoint, instead of a timer for each: who is due is read as soon as the limits
 * allow, the longest overdue first.
 *
 * Workers take jobs in the order of submission. So while one is queued, those behind it need not be read, but for a slow
 * round that finds what does not keep to that order. To find how far the workers have come, jobs farther and farther
 * behind the oldest queued one are tried: one that runs tells of all before it.
 */
export class StatusPoller {
  readonly #scheduler: SchedulerLike;
  readonly #policy: PollPolicy;
  readonly #room: RateLimiter | undefined;
  readonly longPoll: HeldReads;
  /** All who watch, by when they want an answer. */
  readonly #due = new DueQueue<Watcher>();
  #pumping = false;
  #blocked = false;
  #timer = Subscription.EMPTY;
  #timerAt = Infinity;
  /** Those that wait behind older jobs, in the order of submission. */
  readonly #queue: Watcher[] = [];
  /** The one of them that is tried, how many before it would be told of, and when one was last found to run. */
  #tried: Watcher | undefined;
  #stride = 1;
  #moved = 0;
  /** When the last one that was found to run began to. */
  #began = Infinity;
  /** Who was the last one in the slow round, and when. */
  #round = 0;
  #roundAt = 0;
  readonly #executions = new ExecutionTimes();

  constructor(scheduler: SchedulerLike, policy: PollPolicy, room: (operation: string) => RateLimiter | undefined) {
    this.#scheduler = scheduler;
    this.#policy = policy;
    this.#room = room('status');
    this.longPoll = new HeldReads(scheduler, room('status-sync'));
  }

  now(): number {
    return this.#scheduler.now();
  }

  /**
   * Gives a job's snapshots to a sink when they differ, the terminal one last; an error when reading has failed for too
   * long.
   *
   * @param seen - what is known of the job: it is not read at once then
   */
  watch(job: KnownJob, terms: WatchRequest, sink: SnapshotObserver, seen?: JobSnapshot): void {
    const watcher = new Watcher(this, job, terms, sink, this.#due.turns, seen);
    job.listen(watcher);
    this.#due.set(watcher, Infinity);
    sink.add(watcher);
    if (watcher.closed) return;
    if (seen) this.#plan(watcher, seen);
    else this.hurry(watcher);
  }

  /** A watcher wants an answer at once. */
  hurry(watcher: Watcher): void {
    if (!watcher.asking && !this.#ask(watcher)) this.#at(watcher, this.now());
  }

  heard(watcher: Watcher, snapshot: JobSnapshot): void {
    const { job, last, sink } = watcher;
    if (watcher.closed) return;
    watcher.asking = false;
    // Where somebody else says it, it need not be read any more.
    job.leave(watcher);
    watcher.good = this.now();
    watcher.failures = 0;
    watcher.otherwise = undefined;
    if (snapshot.status !== 'CANCELLED' && snapshot.status !== 'IN_QUEUE' && snapshot.status !== 'UNKNOWN')
      this.#ran(watcher, snapshot);
    // One that says the same is not kept beside the one that was given out.
    if (last && sameJson(last.raw, snapshot.raw)) job.last = last;
    else sink.next((watcher.last = snapshot));
    if (isTerminal(snapshot)) {
      sink.complete();
      watcher.unsubscribe();
    } else if (!(watcher.closed as boolean) && !(watcher.asking as boolean)) this.#plan(watcher, snapshot);
  }

  failed(watcher: Watcher, error: unknown): void {
    const { good, otherwise } = watcher;
    if (watcher.closed) return;
    const now = this.now();
    watcher.asking = false;
    watcher.otherwise = undefined;
    // In line, it is read when it is its turn.
    if (otherwise !== undefined) {
      this.#at(watcher, otherwise);
      return;
    }
    watcher.failures++;
    const wait = Math.max(this.#delay(watcher), clampDelay(retryAfterMs(error)));
    const { outage = OUTAGE } = watcher.terms.options;
    const passing = error instanceof RunpodError && error.retryable && now + wait - good <= outage;
    if (passing) this.#at(watcher, now + wait);
    else watcher.sink.error(error);
  }

  left(watcher: Watcher): void {
    const { job } = watcher;
    job.unlisten(watcher);
    job.leave(watcher);
    this.#due.remove(watcher);
    if (watcher.queuedSince !== undefined) this.#queue.splice(this.#placeOf(watcher), 1);
    if (this.#tried === watcher) this.#try(Math.min(watcher.at, this.now() + ROUND_PACE));
    job.jobs.left(job);
    if (this.#due.length) return;
    this.#timer.unsubscribe();
    this.#timerAt = Infinity;
    this.#room?.stopWaiting(this.#pump);
  }

  /** Says when the watcher of a job that is not over wants the next answer. */
  #plan(watcher: Watcher, { status }: JobSnapshot): void {
    const { submittedAt } = watcher.job;
    if (status === 'IN_QUEUE' && submittedAt !== undefined && !policyOf(watcher.terms.options))
      this.#line(watcher, submittedAt);
    else this.#at(watcher, this.now() + this.#delay(watcher));
  }

  /** How long the service may hold the next read of a job, if at all: it tells of nothing but the end meanwhile. */
  #wait({ terms: { options }, failures, runningSince }: Watcher): number | undefined {
    const { longPoll } = options;
    const plain = runningSince === undefined || failures || policyOf(options);
    return longPoll && !plain && this.longPoll.open ? longPoll : undefined;
  }

  /** How long after an answer the next one is wanted. */
  #delay(watcher: Watcher): number {
    const { terms, job, since, failures, last, runningSince = Infinity } = watcher;
    if (this.#wait(watcher)) return 0;
    const { options, endOnly } = terms;
    const poll = policyOf(options);
    const now = this.now();
    const elapsed = now - runningSince;
    const rate = this.#room?.rate ?? Infinity;
    // Nothing but the end is of interest, and it is known how long such jobs take: what the limits allow is spread over
    // all that end meanwhile.
    const chance = Math.min(MOST_CHANCE, Math.max(LEAST_CHANCE, this.#executions.rate / rate / SPENT));
    const left = endOnly && !failures ? this.#executions.left(elapsed, chance) : undefined;
    if (left !== undefined) return Math.max(SOONEST, left);
    const age = !poll && this.#executions.known && elapsed > 0 ? elapsed : now - (job.submittedAt ?? since);
    const wanted = clampDelay((poll ?? this.#policy)({ age, failures, ...(last && { snapshot: last }) }));
    // What the limits allow is spread over all that run.
    return endOnly ? Math.max(wanted, (this.#due.length - this.#queue.length) / rate) : wanted;
  }

  /** Puts the watcher of a queued job in line. */
  #line(watcher: Watcher, submittedAt: number): void {
    const now = this.now();
    if (watcher.queuedSince === undefined) {
      watcher.queuedSince = submittedAt;
      this.#queue.splice(this.#placeOf(watcher), 0, watcher);
    }
    this.#due.set(watcher, Infinity);
    // It may have been taken to run, by one that was not behind it after all.
    watcher.runningSince = undefined;
    if (!this.#tried) this.#moved = submittedAt;
    else if (this.#tried !== watcher) return;
    this.#stride = Math.max(1, this.#stride >> 1);
    if (now - this.#roundAt >= Math.max(ROUND_PACE, ROUND / this.#queue.length)) {
      this.#roundAt = now;
      const next = this.#queue[++this.#round % this.#queue.length];
      if (next && next !== watcher && !next.asking) this.#at(next, now);
    }
    this.#try(now + clampDelay(this.#policy({ age: now - this.#moved, failures: 0 })));
  }

  /** Chooses who is tried next. */
  #try(at: number): void {
    this.#tried = this.#queue[Math.min(this.#stride, this.#queue.length) - 1];
    if (this.#tried && !this.#tried.asking) this.#at(this.#tried, at);
  }

  /** A job runs, or has run: so have all that were submitted before it. */
  #ran(watcher: Watcher, snapshot: JobSnapshot): void {
    const now = this.now();
    const { delayTime, executionTime } = snapshot;
    const { submittedAt = now } = watcher.job;
    watcher.runningSince =
      delayTime === undefined ? (watcher.runningSince ?? now) : Math.min(now, submittedAt + delayTime);
    if (snapshot.status === 'COMPLETED' && executionTime !== undefined) this.#executions.add(executionTime, now);
    if (watcher.queuedSince === undefined) return;
    const before = this.#queue.splice(0, this.#placeOf(watcher) + 1);
    this.#moved = now;
    // They began one after the other since the last one that is known of.
    const from = Math.min(this.#began, watcher.runningSince);
    const step = (watcher.runningSince - from) / before.length;
    this.#began = watcher.runningSince;
    for (const [nth, one] of before.entries()) {
      const { queuedSince = from } = one;
      one.queuedSince = undefined;
      if (one === watcher || one.asking) continue;
      one.runningSince = Math.max(queuedSince, from + step * (nth + 1));
      this.#at(one, one.terms.endOnly ? now + this.#delay(one) : now);
    }
    if (this.#tried?.queuedSince !== undefined) return;
    if (this.#tried === watcher) this.#stride *= 2;
    this.#try(now);
  }

  /** Where a watcher is in line, or would be. */
  #placeOf({ queuedSince = 0, nth }: Watcher): number {
    return lowerBound(this.#queue.length, (place) => {
      const { queuedSince: since = 0, nth: other = 0 } = this.#queue[place] ?? {};
      return since < queuedSince || (since === queuedSince && other < nth);
    });
  }

  #at(watcher: Watcher, at: number): void {
    this.#due.set(watcher, at);
    this.#arm();
  }

  #free(): boolean {
    this.#blocked = (this.#room?.freePlaces(this.#pump) ?? 1) <= 0;
    return !this.#blocked;
  }

  /** Reads a job, if that may be now. */
  #ask(watcher: Watcher): boolean {
    const wait = this.#wait(watcher);
    if (!wait && !this.#free()) return false;
    watcher.asking = true;
    this.#due.set(watcher, Infinity);
    watcher.job.ask(watcher, wait);
    return true;
  }

  /** Reads who is due, as far as the limits allow. */
  readonly #pump = (): void => {
    if (this.#pumping) return;
    this.#pumping = true;
    this.#blocked = false;
    const now = this.now();
    // It may tell of many: that is worth more than any other.
    const tried = this.#tried;
    if (tried && tried.at <= now) this.#ask(tried);
    // Who is answered at once, and wants the next answer at once, waits for the next turn.
    const { turns } = this.#due;
    for (let first; (first = this.#due.first) && first.at <= now && first.turn < turns && this.#ask(first););
    this.#pumping = false;
    this.#arm();
  };

  #arm(): void {
    const at = this.#due.first?.at ?? Infinity;
    const now = this.now();
    if (this.#pumping || at >= this.#timerAt || at === Infinity || (this.#blocked && at <= now)) return;
    this.#timer.unsubscribe();
    this.#timerAt = at;
    this.#timer = this.#scheduler.schedule(
      () => {
        this.#timerAt = Infinity;
        this.#pump();
      },
      Math.min(MAX_TIMER, Math.max(0, at - now)),
    );
  }
}
