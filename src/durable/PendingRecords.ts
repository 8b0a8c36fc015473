import {
  Subject,
  filter,
  ignoreElements,
  startWith,
  switchMap,
  take,
  timer,
  type Observable,
  type SchedulerLike,
} from 'rxjs';

/** Counts the jobs that were left, and whose end is still to be recorded. */
export class PendingRecords {
  /** How many there are of each key, where there are any. */
  readonly #counts = new Map<string, number>();
  readonly #ended$ = new Subject<void>();

  /**
   * Counts until what is given has ended, whichever way.
   *
   * @param key - whose job it is, where it is one's
   */
  track(record$: Observable<unknown>, key = ''): void {
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
    const end = () => {
      const others = (this.#counts.get(key) ?? 0) - 1;
      if (others > 0) this.#counts.set(key, others);
      else this.#counts.delete(key);
      this.#ended$.next();
    };
    record$.subscribe({ complete: end, error: end });
  }

  /** Completes once nothing is to be recorded for a key. */
  settledOf(key: string): Observable<never> {
    return this.#once(() => !this.#counts.has(key));
  }

  /** Completes once nothing is to be recorded. */
  settled(scheduler: SchedulerLike): Observable<never> {
    // A view is told of the closing of its client one turn later, and its job is counted then.
    return timer(0, scheduler).pipe(switchMap(() => this.#once(() => this.#counts.size === 0)));
  }

  #once(isSettled: () => boolean): Observable<never> {
    return this.#ended$.pipe(startWith(undefined), filter(isSettled), take(1), ignoreElements());
  }
}
