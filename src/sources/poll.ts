import {
  EMPTY,
  catchError,
  connect,
  defer,
  first,
  merge,
  repeat,
  switchMap,
  take,
  tap,
  throwError,
  timer,
  type Observable,
  type SchedulerLike,
} from 'rxjs';
import { RunpodError } from '../errors/RunpodError.js';
import { retryAfterMs } from '../errors/retryAfterMs.js';
import { clampDelay } from '../protocol/clampDelay.js';

/** Options of {@link poll}. */
export interface PollLoopOptions<T> {
  /** How long after an answer the next read is due, in milliseconds, given the last good value and the failures since. */
  readonly delay: (last: T | undefined, failures: number) => number;
  /** How long reads may fail in a row before their error goes through, in milliseconds since the last good answer. */
  readonly outage: number;
  /** Values from elsewhere: each counts as an answer, and postpones the next read. */
  readonly notices?: Observable<T>;
  /** All time comes from it. */
  readonly scheduler: SchedulerLike;
}

/**
 * Reads again and again, each time a while after the answer, so that there is one read at a time and a slow answer
 * still counts. It never completes by itself.
 */
export function poll<T>(
  read: () => Observable<T>,
  { delay, outage, notices = EMPTY, scheduler }: PollLoopOptions<T>,
): Observable<T> {
  return defer(() => {
    let good = scheduler.now();
    let last: T | undefined;
    let failures = 0;
    let pause: (() => number) | undefined;
    const read$ = defer(read).pipe(first());

    const turns = (heard$: Observable<T>) =>
      defer(() => (pause ? timer(pause(), scheduler).pipe(switchMap(() => read$)) : read$)).pipe(
        (reading$) => merge(reading$, heard$),
        take(1),
        tap((value) => {
          good = scheduler.now();
          last = value;
          failures = 0;
          pause = () => clampDelay(delay(value, 0));
        }),
        catchError((error: unknown) => {
          const wait = Math.max(clampDelay(delay(last, ++failures)), clampDelay(retryAfterMs(error)));
          pause = () => wait;
          const passing = error instanceof RunpodError && error.retryable && scheduler.now() + wait - good <= outage;
          return passing ? EMPTY : throwError(() => error);
        }),
        repeat(),
      );

    // One subscription to the channel lasts for all turns. One that breaks is no reason to stop: reading goes on without.
    return notices.pipe(
      catchError(() => EMPTY),
      connect(turns),
    );
  });
}
