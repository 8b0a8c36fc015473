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
  /**
   * How long after an answer or a failed read the next read is due, in milliseconds. `latest` is the latest value, and
   * `failures` is how many reads have failed since.
   */
  readonly delay: (latest: T | undefined, failures: number) => number;
  /** How long reads may fail in a row before their error goes through, in milliseconds since the latest answer. */
  readonly outage: number;
  /** Values from another source. Each counts as an answer, and postpones the next read. */
  readonly notices?: Observable<T>;
  /** The clock and the timers of the loop. */
  readonly scheduler: SchedulerLike;
}

/**
 * Reads again and again. The delay to the next read begins with the answer, so that one read is in flight at a time, and a
 * slow answer still counts. Emits every answer and every notice. Never completes. Unsubscribing aborts the read in flight.
 */
export function poll<T>(
  read: () => Observable<T>,
  { delay, outage, notices = EMPTY, scheduler }: PollLoopOptions<T>,
): Observable<T> {
  return defer(() => {
    let lastSuccessAt = scheduler.now();
    let latest: T | undefined;
    let failures = 0;
    /** Computes the delay before the next read when that delay begins; absent before the first read. */
    let nextDelay: (() => number) | undefined;
    const readOnce$ = defer(read).pipe(first());

    const readNext$ = defer(() =>
      nextDelay ? timer(nextDelay(), scheduler).pipe(switchMap(() => readOnce$)) : readOnce$,
    );

    const accept = (value: T) => {
      lastSuccessAt = scheduler.now();
      latest = value;
      failures = 0;
      nextDelay = () => clampDelay(delay(value, 0));
    };

    const fail = (error: unknown): Observable<never> => {
      failures++;
      const pause = Math.max(clampDelay(delay(latest, failures)), clampDelay(retryAfterMs(error)));
      nextDelay = () => pause;
      const outageAtNextRead = scheduler.now() + pause - lastSuccessAt;
      const readsOn = error instanceof RunpodError && error.retryable && outageAtNextRead <= outage;
      return readsOn ? EMPTY : throwError(() => error);
    };

    const readRepeatedly = (notices$: Observable<T>) =>
      merge(readNext$, notices$).pipe(take(1), tap(accept), catchError(fail), repeat());

    // `connect` keeps one subscription to the notices for all reads. Where the notices fail, reading goes on without them.
    return notices.pipe(
      catchError(() => EMPTY),
      connect(readRepeatedly),
    );
  });
}
