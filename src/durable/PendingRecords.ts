import {
  BehaviorSubject,
  filter,
  ignoreElements,
  switchMap,
  take,
  timer,
  type Observable,
  type SchedulerLike,
} from 'rxjs';

/** Counts the jobs that were left, and whose end is still to be recorded. */
export class PendingRecords {
  readonly #count$ = new BehaviorSubject(0);
  readonly #scheduler: SchedulerLike;

  constructor(scheduler: SchedulerLike) {
    this.#scheduler = scheduler;
  }

  /** Counts until what is given has ended, whichever way. */
  track(record$: Observable<unknown>): void {
    this.#count$.next(this.#count$.value + 1);
    const end = () => {
      this.#count$.next(this.#count$.value - 1);
    };
    record$.subscribe({ complete: end, error: end });
  }

  settled(): Observable<never> {
    // A view is told of the closing of its client one turn later, and its job is counted then.
    return timer(0, this.#scheduler).pipe(
      switchMap(() => this.#count$),
      filter((count) => count === 0),
      take(1),
      ignoreElements(),
    );
  }
}
