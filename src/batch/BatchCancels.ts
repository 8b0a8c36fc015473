import {
  BehaviorSubject,
  catchError,
  concat,
  defer,
  filter,
  finalize,
  ignoreElements,
  noop,
  of,
  retry,
  switchMap,
  take,
  throwError,
  timer,
  type Observable,
  type SchedulerLike,
} from 'rxjs';
import { isRunpodError } from '../index.js';
import { isBatchOver, type BatchSummary } from './BatchSummary.js';

/** How long a cancel is repeated, and the longest pause between two, in milliseconds. */
const CANCEL_TIME = 600_000;
const MAX_PAUSE = 30_000;

/** What cancels a batch. */
interface Canceller {
  cancel(id: string): Observable<never>;
  summary(id: string): Observable<BatchSummary>;
}

/** Cancels batches that were left, until that is confirmed. */
export class BatchCancels {
  readonly #scheduler: SchedulerLike;
  readonly #count$ = new BehaviorSubject(0);

  constructor(scheduler: SchedulerLike) {
    this.#scheduler = scheduler;
  }

  /** Cancels a batch, also where the answer to a cancel was lost. What is over, or was cancelled before, is confirmed. */
  track(canceller: Canceller, id: string): void {
    const startedAt = this.#scheduler.now();
    // The service refuses to cancel what is over. Only a look at the batch tells that from other refusals.
    const confirmed$ = defer(() => canceller.summary(id)).pipe(
      switchMap((summary) => (isBatchOver(summary) ? of(true) : throwError(() => new Error('it is not cancelled')))),
    );
    const cancelled$ = concat(canceller.cancel(id), of(true)).pipe(
      catchError((error: unknown) => (isRunpodError(error, 'authentication') ? throwError(() => error) : confirmed$)),
      retry({
        delay: (error: unknown, attempt) =>
          this.#scheduler.now() - startedAt < CANCEL_TIME && !isRunpodError(error, 'client_closed')
            ? timer(Math.min(MAX_PAUSE, 500 * 2 ** attempt), this.#scheduler)
            : throwError(() => error),
      }),
    );
    this.waitFor(cancelled$).subscribe({ error: noop });
  }

  /** Has `settled` wait for the end of a source, too. */
  waitFor<T>(source: Observable<T>): Observable<T> {
    return defer(() => {
      this.#count$.next(this.#count$.value + 1);
      return source.pipe(
        finalize(() => {
          this.#count$.next(this.#count$.value - 1);
        }),
      );
    });
  }

  settled(): Observable<never> {
    return this.#count$.pipe(
      filter((count) => count === 0),
      take(1),
      ignoreElements(),
    );
  }
}
