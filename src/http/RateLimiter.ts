import { Observable, Subscription, type SchedulerLike } from 'rxjs';
import { MAX_TIMER, RATE_WINDOW } from '../protocol/limits.js';
import type { BudgetUse } from '../types/Budget.js';
import type { OperationLimits } from '../types/Limits.js';
import type { BudgetPart } from './BudgetPart.js';

/** Fraction of the rate that is left after a 429, and the least that is left after many. */
const RATE_AFTER_REFUSAL = 0.7;
const MIN_RATE_FRACTION = 0.1;

/** How long the whole rate takes to come back from nothing, in milliseconds. */
const RATE_RECOVERY_TIME = 60_000;

/** Refusals within this time count as one, in milliseconds. */
const REFUSAL_WINDOW = 1_000;

/**
 * The clock may be ahead by less than this, in milliseconds: timers may fire early, and it takes the time that a timer was set
 * to for the present.
 */
const CLOCK_LEAD = 1;

/** How a request waits for its turn. */
export interface TurnOptions {
  /** Whether the request goes before all that are not urgent. */
  readonly urgent: boolean;
  /** Called where the request cannot be sent at once, with how many requests wait, this one included. */
  readonly onWait: (waiting: number) => void;
}

/**
 * Keeps the requests of one operation of one endpoint within a rate and a concurrency. Requests are sent in the order in
 * which they came, the urgent ones first.
 *
 * A request counts against the rate until a whole window has passed since its answer. The server saw the request before
 * it answered, so no window of the server's, fixed or sliding, holds more than the limit, however slow the network is.
 */
export class RateLimiter {
  readonly #limits: OperationLimits;
  readonly #scheduler: SchedulerLike;
  readonly #runningWorkers: () => number;
  /** Requests that wait. */
  readonly #urgent = new Set<() => void>();
  readonly #ordinary = new Set<() => void>();
  /** Callbacks that are told of a free place when no request waits. */
  readonly #wakes = new Set<() => void>();
  #inFlight = 0;
  /** When the requests ended that still count against the rate, oldest first. */
  #endedAt: number[] = [];
  /** Nothing is sent until this time. */
  #pausedUntil = 0;
  /** Fraction of the rate that was left at the last refusal, and when that was. */
  #fractionAtRefusal = 1;
  #refusedAt = -Infinity;
  /** Whether the loop that starts requests runs. */
  #starting = false;
  #timer = Subscription.EMPTY;
  /** What is left for these requests by other processes, where a budget divides the limits. */
  readonly #part: BudgetPart | undefined;

  /**
   * @param runningWorkers - how many workers of the endpoint are known to run
   * @param partOf - makes the part of a budget, of what the limiter uses
   */
  constructor(
    limits: OperationLimits,
    scheduler: SchedulerLike,
    runningWorkers: () => number,
    partOf?: (use: () => BudgetUse) => BudgetPart,
  ) {
    this.#limits = limits;
    this.#scheduler = scheduler;
    this.#runningWorkers = runningWorkers;
    this.#part = partOf?.(() => this.#use());
  }

  /** How many requests may be sent in a millisecond, in the long run. */
  get rate(): number {
    return this.#requestsPerWindow(this.#part?.obtainable.requests) / this.#window;
  }

  /** How many requests may be in flight at once, in the long run. */
  get concurrent(): number {
    return this.#concurrentWithin(this.#part?.obtainable.concurrent);
  }

  /**
   * Sends a request when it is its turn, and passes the answer on. The request keeps its place until it ends, whichever
   * way. Unsubscribing while it waits gives the turn to the next.
   */
  run<T>(request: Observable<T>, { urgent, onWait }: TurnOptions): Observable<T> {
    const waiting = urgent ? this.#urgent : this.#ordinary;
    return new Observable((subscriber) => {
      const start = () => {
        // An earlier request of the same turn may have answered at once, and made this subscriber leave.
        if (subscriber.closed) return;
        this.#inFlight++;
        request.subscribe(subscriber);
        // Added after the request's own teardown, so that the place is free when the request has ended.
        subscriber.add(() => {
          this.#inFlight--;
          if (this.#limits.requests !== undefined) this.#endedAt.push(this.#scheduler.now());
          this.#startRequests();
        });
      };
      waiting.add(start);
      this.#holdPart();
      this.#startRequests();
      if (waiting.has(start)) {
        onWait(this.#waitingRequests);
        this.#part?.waits$.next();
      }
      return () => {
        waiting.delete(start);
        this.#rest();
      };
    });
  }

  /**
   * How many requests may be sent now.
   *
   * @param wake - called once, later, when a place is free and no request waits, where there is no place now
   */
  freePlaces(wake?: () => void): number {
    this.#holdPart();
    const now = this.#scheduler.now();
    const free = this.#waitingRequests ? 0 : this.#places(now);
    if (wake && free <= 0) {
      this.#wakes.add(wake);
      // Nothing is started here: `wake` must not be called before the caller has its answer, and the clock may tick now.
      if (!this.#starting && this.#timer.closed) this.#startLater(now);
      this.#part?.waits$.next();
    }
    this.#rest();
    return free;
  }

  /** Forgets a callback that was given to `freePlaces`. */
  stopWaiting(wake: () => void): void {
    this.#wakes.delete(wake);
    this.#rest();
  }

  /** The server answered 429: sends nothing for so many milliseconds, and less for a while. */
  slowDown(pause: number): void {
    const now = this.#scheduler.now();
    this.#pausedUntil = Math.max(this.#pausedUntil, now + pause);
    if (now < this.#refusedAt + REFUSAL_WINDOW) return;
    this.#fractionAtRefusal = Math.max(MIN_RATE_FRACTION, this.#rateFraction * RATE_AFTER_REFUSAL);
    this.#refusedAt = now;
  }

  get #window(): number {
    return this.#limits.per ?? RATE_WINDOW;
  }

  get #waitingRequests(): number {
    return this.#urgent.size + this.#ordinary.size;
  }

  /** Fraction of the rate that is used now. */
  get #rateFraction(): number {
    const recovered = (this.#scheduler.now() - this.#refusedAt) / RATE_RECOVERY_TIME;
    return Math.min(1, this.#fractionAtRefusal + recovered);
  }

  /** How many requests the server takes in a window, of all processes. */
  get #wholeLimit(): number {
    const { requests = Infinity, perWorker = 0 } = this.#limits;
    return Math.max(requests, perWorker * this.#runningWorkers());
  }

  #requestsPerWindow(part = Infinity): number {
    const allowed = Math.min(this.#wholeLimit, part);
    return Math.min(part, Math.max(1, Math.floor(allowed * this.#rateFraction)));
  }

  #concurrentWithin(part = Infinity): number {
    return Math.min(this.#limits.concurrent ?? Infinity, part);
  }

  /** How many requests may be sent now, whether or not others wait. */
  #places(now: number): number {
    const counted = this.#counted(now);
    if (this.#pausedUntil > now) return 0;
    const { requests, concurrent } = this.#part?.allowed ?? {};
    return Math.min(this.#concurrentWithin(concurrent) - this.#inFlight, this.#requestsPerWindow(requests) - counted);
  }

  /** Until when a request counts against the rate. */
  #countsUntil(endedAt: number): number {
    return endedAt + this.#window + CLOCK_LEAD;
  }

  /** How many requests count against the rate. */
  #counted(now: number): number {
    const firstCounted = this.#endedAt.findIndex((endedAt) => this.#countsUntil(endedAt) > now);
    this.#endedAt.splice(0, firstCounted < 0 ? this.#endedAt.length : firstCounted);
    return this.#inFlight + this.#endedAt.length;
  }

  /** What a budget is told. */
  #use(): BudgetUse {
    const counted = this.#counted(this.#scheduler.now());
    return {
      limit: { requests: this.#wholeLimit, concurrent: this.#concurrentWithin() },
      per: this.#window,
      counted,
      inFlight: this.#inFlight,
      // A callback stands for an unknown number of requests: for as many again as count now.
      waiting: this.#waitingRequests + (this.#wakes.size && counted + 1),
    };
  }

  /** Holds a part of the budget while requests are in flight or wait. */
  #holdPart(): void {
    this.#part?.hold(() => {
      if (!this.#waits) return;
      // Later, because the part may change while a request asks for it.
      this.#timer.unsubscribe();
      this.#timer = this.#scheduler.schedule(() => {
        this.#startRequests();
      });
    });
  }

  /** Starts as many requests as may be sent now. A request that ends at once calls this again: the loop goes on for it. */
  #startRequests(): void {
    if (this.#starting) return;
    this.#starting = true;
    try {
      // One at a time: a request that starts may add others, and urgent ones.
      let next = this.#nextStart();
      while (next) {
        const now = this.#scheduler.now();
        if (this.#places(now) <= 0) {
          this.#startLater(now);
          break;
        }
        next.waiting.delete(next.start);
        // A callback that is told of a free place calls `run`, which must start its request.
        this.#starting = next.waiting !== this.#wakes;
        next.start();
        this.#starting = true;
        next = this.#nextStart();
      }
    } finally {
      // A scheduler of the user's may throw. The requests that wait are then started with the next.
      this.#starting = false;
      this.#rest();
    }
  }

  /** What is to be started next, and the set that it waits in. */
  #nextStart(): { readonly start: () => void; readonly waiting: Set<() => void> } | undefined {
    for (const waiting of [this.#urgent, this.#ordinary, this.#wakes]) {
      const [start] = waiting;
      if (start) return { start, waiting };
    }
    return undefined;
  }

  /** Tries again when the pause is over, or when the oldest request no longer counts. */
  #startLater(now: number): void {
    // The end of a request starts the next.
    if (this.#inFlight >= this.#concurrentWithin(this.#part?.allowed.concurrent)) return;
    const paused = now < this.#pausedUntil;
    const dueAt = paused ? this.#pausedUntil : this.#countsUntil(this.#endedAt[0] ?? Infinity);
    this.#timer.unsubscribe();
    if (dueAt === Infinity) return;
    this.#timer = this.#scheduler.schedule(
      () => {
        this.#startRequests();
      },
      Math.min(MAX_TIMER, Math.max(0, dueAt - now)),
    );
  }

  /** Whether a request or a callback waits. */
  get #waits(): boolean {
    return this.#waitingRequests + this.#wakes.size > 0;
  }

  /** Runs no timer while nothing waits, and holds no part of the budget while nothing is in flight either. */
  #rest(): void {
    if (this.#waits) return;
    this.#timer.unsubscribe();
    if (!this.#inFlight) this.#part?.release();
  }
}
