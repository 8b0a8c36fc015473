import { Observable, Subscription, type SchedulerLike, type Subscriber } from 'rxjs';
import { RATE_WINDOW } from '../protocol/limits.js';
import type { OperationLimits } from '../types/Limits.js';

/** Gives back what was taken from the budget, once. */
export type Release = () => void;

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

  #advance(): void {
    const { requests = Infinity, per = RATE_WINDOW, concurrent = Infinity } = this.#limits;
    for (const subscriber of this.#waiting) {
      const now = this.#scheduler.now();
      const passed = this.#ended.findIndex((end) => end + per >= now);
      this.#ended.splice(0, passed < 0 ? this.#ended.length : passed);
      if (this.#running >= concurrent) return;
      if (this.#running + this.#ended.length >= requests) {
        const first = this.#ended[0];
        this.#timer.unsubscribe();
        // All slots are running when nothing has ended yet: the next end calls again.
        if (first !== undefined)
          this.#timer = this.#scheduler.schedule(
            () => {
              this.#advance();
            },
            first + per + 1 - now,
          );
        return;
      }
      this.#waiting.delete(subscriber);
      this.#running++;
      let open = true;
      subscriber.next(() => {
        if (!open) return;
        open = false;
        this.#running--;
        if (requests !== Infinity) this.#ended.push(this.#scheduler.now());
        this.#advance();
      });
      subscriber.complete();
    }
  }
}
