import { Observable, Subscription, finalize, type SchedulerLike } from 'rxjs';
import { MAX_TIMER, RATE_WINDOW } from '../protocol/limits.js';
import type { OperationLimits } from '../types/Limits.js';

/**
 * Keeps the requests of one operation of one endpoint within a rate and a concurrency: first come, first served, the urgent ones first.
 *
 * A request counts against the rate until a whole window has passed since its answer. The server saw it before it
 * answered, so no window of the server's, fixed or sliding, can hold more than the limit, however slow the network is.
 */
export class Lane {
  readonly #limits: OperationLimits;
  readonly #scheduler: SchedulerLike;
  /** Who is urgent, and who is not. */
  readonly #waiting = [new Set<() => void>(), new Set<() => void>()] as const;
  #running = 0;
  #busy = false;
  #until = 0;
  #ended: number[] = [];
  #timer = Subscription.EMPTY;

  constructor(limits: OperationLimits, scheduler: SchedulerLike) {
    this.#limits = limits;
    this.#scheduler = scheduler;
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
        request
          .pipe(
            finalize(() => {
              this.#running--;
              if (this.#limits.requests !== undefined) this.#ended.push(this.#scheduler.now());
              this.#advance();
            }),
          )
          .subscribe(subscriber);
      };
      waiting.add(start);
      this.#advance();
      if (waiting.has(start)) waits(this.#count);
      return () => {
        waiting.delete(start);
        if (!this.#count) this.#timer.unsubscribe();
      };
    });
  }

  /** Lets nobody through for so many milliseconds. */
  pause(duration: number): void {
    this.#until = Math.max(this.#until, this.#scheduler.now() + duration);
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
    for (const waiting of this.#waiting) for (const start of waiting) return [start, waiting] as const;
    return undefined;
  }

  #admit(): void {
    const { requests = Infinity, per = RATE_WINDOW, concurrent = Infinity } = this.#limits;
    // One by one: who is let through may bring others, and urgent ones.
    for (let next; (next = this.#first());) {
      const [start, waiting] = next;
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
      waiting.delete(start);
      start();
    }
  }
}
