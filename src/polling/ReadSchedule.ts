import { Subscription, type SchedulerLike } from 'rxjs';
import type { RateLimiter } from '../http/RateLimiter.js';
import { MAX_TIMER } from '../protocol/limits.js';
import { DueQueue } from './DueQueue.js';
import { ORDER_AGE, type HeldJobs } from './HeldJobs.js';
import { MAX_READ_GAP } from './nextReadAt.js';
import type { Watcher } from './Watcher.js';

/** What a {@link ReadSchedule} works with. */
export interface ReadScheduleOptions {
  /** Runs the timer. */
  readonly scheduler: SchedulerLike;
  /** Limits plain reads. */
  readonly rateLimiter: RateLimiter | undefined;
  /** Which jobs have their reads held. */
  readonly heldJobs: HeldJobs<Watcher>;
  /** The queued job that is read for all others: it goes first, since its answer may tell of many. */
  readonly probe: () => Watcher | undefined;
}

/**
 * When each watched job of an endpoint is read next, with one timer for all. Jobs that are due are read as far as the
 * limits allow, the longest overdue first.
 */
export class ReadSchedule {
  readonly #scheduler: SchedulerLike;
  readonly #rateLimiter: RateLimiter | undefined;
  readonly #heldJobs: HeldJobs<Watcher>;
  readonly #probe: () => Watcher | undefined;
  readonly #due = new DueQueue<Watcher>();
  #reading = false;
  /** The limits allow no plain read now; the rate limiter calls back once they do. */
  #blocked = false;
  #timer = Subscription.EMPTY;
  #timerAt = Infinity;

  constructor({ scheduler, rateLimiter, heldJobs, probe }: ReadScheduleOptions) {
    this.#scheduler = scheduler;
    this.#rateLimiter = rateLimiter;
    this.#heldJobs = heldJobs;
    this.#probe = probe;
  }

  /** How many jobs are watched. */
  get length(): number {
    return this.#due.length;
  }

  /** A number that is greater for what is planned later. */
  get turns(): number {
    return this.#due.turns;
  }

  /** Has a job read at no time, until another is planned. */
  rest(watcher: Watcher): void {
    this.#due.set(watcher, Infinity);
  }

  readAt(watcher: Watcher, at: number): void {
    this.#due.set(watcher, at);
    this.#setTimer();
  }

  /** Reads a job at once, or as soon as the limits allow. */
  readNow(watcher: Watcher): void {
    if (!this.#read(watcher)) this.readAt(watcher, this.#scheduler.now());
  }

  /** Has a job read by a held read, for which it has a place. */
  hold(watcher: Watcher): void {
    this.#due.set(watcher, this.#scheduler.now());
    // The limits of plain reads, by which the others may be blocked, do not count.
    this.#setTimer(false);
  }

  remove(watcher: Watcher): void {
    this.#due.remove(watcher);
    if (this.#due.length) return;
    this.#timer.unsubscribe();
    this.#timerAt = Infinity;
    this.#rateLimiter?.stopWaiting(this.#readDueJobs);
  }

  /** Reads a job, if the limits allow a read now, and returns whether they do. The job rests meanwhile. */
  #read(watcher: Watcher): boolean {
    const hasPlace = this.#heldJobs.has(watcher);
    const holdFor = hasPlace ? watcher.holdFor : 0;
    if (holdFor) this.#heldJobs.start(watcher);
    else {
      this.#blocked = (this.#rateLimiter?.freePlaces(this.#readDueJobs) ?? 1) <= 0;
      // A job that waits for the limits of plain reads may get a place before.
      if (hasPlace || !this.#blocked) this.#heldJobs.leave(watcher);
      if (this.#blocked) return false;
    }
    watcher.awaitingRead = true;
    watcher.hinted = false;
    this.rest(watcher);
    watcher.job.read(watcher, holdFor);
    return true;
  }

  /** Reads the jobs that are due, as far as the limits allow. */
  readonly #readDueJobs = (): void => {
    if (this.#reading) return;
    this.#reading = true;
    this.#blocked = false;
    const now = this.#scheduler.now();
    // Held reads have places of their own, so they need not wait for plain ones.
    for (const watcher of this.#heldJobs.reserved) {
      // The answer to another may have ended or read this one, or given its place away.
      if (this.#heldJobs.isReserved(watcher)) this.#read(watcher);
    }
    const probe = this.#probe();
    if (probe && probe.dueAt <= now) this.#read(probe);
    // A job that is answered at once and is due again at once waits until the others were read.
    const { turns } = this.#due;
    let watcher = this.#due.first;
    while (watcher && watcher.dueAt <= now && watcher.turn < turns) {
      if (!this.#isWorthRead(watcher, now))
        this.#due.set(watcher, Math.min(now + ORDER_AGE, watcher.answeredAt + MAX_READ_GAP));
      else if (!this.#read(watcher)) break;
      watcher = this.#due.first;
    }
    this.#reading = false;
    this.#setTimer(this.#heldJobs.reserved.length ? false : undefined);
  };

  /** Whether a job that is due is read now: others that wait for a held read as it does may have ended more probably. */
  #isWorthRead(watcher: Watcher, now: number): boolean {
    const { hinted, answeredAt } = watcher;
    return hinted || now >= answeredAt + MAX_READ_GAP || this.#heldJobs.isWorthRead(watcher);
  }

  /** Sets the timer for the job that is due first, unless the rate limiter will call back. */
  #setTimer(mayBeBlocked = this.#blocked): void {
    const at = this.#due.first?.dueAt ?? Infinity;
    const now = this.#scheduler.now();
    const waitsForLimits = mayBeBlocked && at <= now;
    if (this.#reading || at >= this.#timerAt || at === Infinity || waitsForLimits) return;
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
