import { Observable, Subscription, type SchedulerLike, type Subscriber } from 'rxjs';
import { MAX_TIMER, RATE_WINDOW } from '../protocol/limits.js';
import type { OperationLimits } from '../types/Limits.js';

/** Gives back what was taken from the budget, once; with a pause in milliseconds, nobody gets through for so long. */
export type Release = (pause?: number) => void;

/**
 * Keeps the requests of one operation of one endpoint within a rate and a concurrency, first come, first served.
 *
 * A request counts against the rate until a whole window has passed since its answer. The server saw it before it
 * answered, so no window of the server's, fixed or sliding, can hold more than the limit, however slow the network is.
 */
export class Lane {
  readonly #limits: OperationLimits;
  readonly #scheduler: SchedulerLike;
  readonly #waiting = new Set<Subscriber<Release>>();
  #running = 0;
  #busy = false;
  #until = 0;
  #ended: number[] = [];
  #timer = Subscription.EMPTY;

  constructor(limits: OperationLimits, scheduler: SchedulerLike) {
    this.#limits = limits;
    this.#scheduler = scheduler;
  }

  /** How many wait for their turn. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** Emits once it is the subscriber's turn. Unsubscribing while waiting gives the turn to the next. */
  lease(): Observable<Release> {
    return new Observable((subscriber) => {
      this.#waiting.add(subscriber);
      this.#advance();
      return () => {
        this.#waiting.delete(subscriber);
        if (!this.#waiting.size) this.#timer.unsubscribe();
      };
    });
  }

  /** Lets through who may go. An answer given at once comes back here: the loop that runs sees to it. */
  #advance(): void {
    if (this.#busy) return;
    this.#busy = true;
    this.#admit();
    this.#busy = false;
  }

  #admit(): void {
    const { requests = Infinity, per = RATE_WINDOW, concurrent = Infinity } = this.#limits;
    for (const subscriber of this.#waiting) {
      const now = this.#scheduler.now();
      const passed = this.#ended.findIndex((end) => end + per >= now);
      this.#ended.splice(0, passed < 0 ? this.#ended.length : passed);
      if (this.#running >= concurrent) return;
      const full = this.#running + this.#ended.length >= requests;
      // Where all of the rate is running, the next end calls again.
      const due = Math.max(this.#until, full ? (this.#ended[0] ?? Infinity) + per + 1 : 0);
      if (due > now) {
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
      this.#waiting.delete(subscriber);
      this.#running++;
      let open = true;
      subscriber.next((pause = 0) => {
        if (!open) return;
        open = false;
        this.#running--;
        const end = this.#scheduler.now();
        if (requests !== Infinity) this.#ended.push(end);
        this.#until = Math.max(this.#until, end + pause);
        this.#advance();
      });
      subscriber.complete();
    }
  }
}
