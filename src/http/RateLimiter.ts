import { Observable, Subscription, type SchedulerLike } from 'rxjs';
import { MAX_TIMER, RATE_WINDOW } from '../protocol/limits.js';
import type { OperationLimits } from '../types/Limits.js';

/** How much of the rate is left after a 429, and at least; and how long it takes to recover from nothing, in milliseconds. */
const RATE_AFTER_REFUSAL = 0.7;
const MIN_RATE_FRACTION = 0.1;
const RATE_RECOVERY_TIME = 60_000;

/** Refusals within this time are one, in milliseconds. */
const REFUSAL_WINDOW = 1_000;

/**
 * Keeps the requests of one operation of one endpoint within a rate and a concurrency: first come, first served, the urgent ones first.
 *
 * A request counts against the rate until a whole window has passed since its answer. The server saw it before it
 * answered, so no window of the server's, fixed or sliding, can hold more than the limit, however slow the network is.
 */
export class RateLimiter {
  readonly #limits: OperationLimits;
  readonly #scheduler: SchedulerLike;
  /** Who is urgent, and who is not. */
  readonly #waiting = [new Set<() => void>(), new Set<() => void>()] as const;
  #running = 0;
  #busy = false;
  #until = 0;
  #ended: number[] = [];
  #timer = Subscription.EMPTY;
  /** Who is told when there is room, and nobody waits. */
  readonly #wakes = new Set<() => void>();

  readonly #workers: () => number;
  /** Which part of the rate was left at the last refusal, and when that was. */
  #part = 1;
  #refusedAt = -Infinity;

  /** @param workers - how many are known to run */
  constructor(limits: OperationLimits, scheduler: SchedulerLike, workers: () => number) {
    this.#limits = limits;
    this.#scheduler = scheduler;
    this.#workers = workers;
  }

  get #count(): number {
    return this.#waiting[0].size + this.#waiting[1].size;
  }

  /**
   * Makes a request when it is its turn, and passes its answer on. Its place is kept until it ends, whichever way; to
   * unsubscribe while it waits gives the turn to the next.
   *
   * @param waits - told, where it is not its turn at once, how many wait, this one included
   * @param urgent - goes before all that are not
   */
  run<T>(request: Observable<T>, waits: (waiting: number) => void, urgent = false): Observable<T> {
    const waiting = this.#waiting[urgent ? 0 : 1];
    return new Observable((subscriber) => {
      const start = () => {
        // It left while another, whose answer came at once, was let through.
        if (subscriber.closed) return;
        this.#running++;
        request.subscribe(subscriber);
        // After what the request does when it ends.
        subscriber.add(() => {
          this.#running--;
          if (this.#limits.requests !== undefined) this.#ended.push(this.#scheduler.now());
          this.#advance();
        });
      };
      waiting.add(start);
      this.#advance();
      if (waiting.has(start)) waits(this.#count);
      return () => {
        waiting.delete(start);
        this.#rest();
      };
    });
  }

  /** How many may go now. Where none may, `wake` is called once one may, and nobody else waits. */
  freePlaces(wake?: () => void): number {
    const free = this.#count ? 0 : this.#room();
    if (wake && free <= 0) {
      this.#wakes.add(wake);
      this.#advance();
    }
    return free;
  }

  /** How many may go in a millisecond in the long run. */
  get rate(): number {
    return this.#requests / (this.#limits.per ?? RATE_WINDOW);
  }

  stopWaiting(wake: () => void): void {
    this.#wakes.delete(wake);
    this.#rest();
  }

  /** The server refused one for being too many: lets nobody through for so many milliseconds, and fewer for a while. */
  slowDown(pause: number): void {
    const now = this.#scheduler.now();
    this.#until = Math.max(this.#until, now + pause);
    if (now < this.#refusedAt + REFUSAL_WINDOW) return;
    this.#part = Math.max(MIN_RATE_FRACTION, this.#share * RATE_AFTER_REFUSAL);
    this.#refusedAt = now;
  }

  /** Which part of the rate is used. */
  get #share(): number {
    return Math.min(1, this.#part + (this.#scheduler.now() - this.#refusedAt) / RATE_RECOVERY_TIME);
  }

  /** How many requests may go in a window. */
  get #requests(): number {
    const { requests = Infinity, perWorker = 0 } = this.#limits;
    return Math.max(1, Math.floor(Math.max(requests, perWorker * this.#workers()) * this.#share));
  }

  /** No timer, where nobody waits. */
  #rest(): void {
    if (!this.#count && !this.#wakes.size) this.#timer.unsubscribe();
  }

  /** Lets through who may go. An answer given at once comes back here: the loop that runs sees to it. */
  #advance(): void {
    if (this.#busy) return;
    this.#busy = true;
    this.#admit();
    this.#busy = false;
  }

  /** Whose turn it is, and where it waits. */
  #first() {
    for (const waiting of [...this.#waiting, this.#wakes])
      for (const start of waiting) return [start, waiting] as const;
    return undefined;
  }

  /** How many may go now. */
  #room(): number {
    const { per = RATE_WINDOW, concurrent = Infinity } = this.#limits;
    const now = this.#scheduler.now();
    const passed = this.#ended.findIndex((end) => end + per >= now);
    this.#ended.splice(0, passed < 0 ? this.#ended.length : passed);
    if (this.#until > now) return 0;
    return Math.min(concurrent - this.#running, this.#requests - this.#running - this.#ended.length);
  }

  #admit(): void {
    const { per = RATE_WINDOW, concurrent = Infinity } = this.#limits;
    // One by one: who is let through may bring others, and urgent ones.
    for (let next; (next = this.#first());) {
      const [start, waiting] = next;
      if (this.#room() > 0) {
        waiting.delete(start);
        // Who is told that there is room asks for its turn in the usual way.
        this.#busy = waiting !== this.#wakes;
        start();
        this.#busy = true;
        continue;
      }
      // Where all that may run at once do, the next end calls again.
      if (this.#running >= concurrent) return;
      const now = this.#scheduler.now();
      const due = Math.max(this.#until, now < this.#until ? 0 : (this.#ended[0] ?? Infinity) + per + 1);
      this.#timer.unsubscribe();
      if (due < Infinity) {
        this.#timer = this.#scheduler.schedule(
          () => {
            this.#advance();
          },
          Math.min(MAX_TIMER, due - now),
        );
      }
      return;
    }
  }
}
