import {
  EMPTY,
  catchError,
  connect,
  defer,
  first,
  merge,
  of,
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
import { MAX_RETRY_AFTER } from '../protocol/limits.js';
import { Outage } from './Outage.js';
import { HINT_GAP } from './PollPolicy.js';

/** Options of {@link poll}. */
export interface PollLoopOptions<T> {
  /**
   * How long after an answer or a failed read the next read is due, in milliseconds. `latest` is the latest value, and
   * `failures` is how many reads have failed since.
   */
  readonly delay: (latest: T | undefined, failures: number) => number;
  /** How long reads may fail in a row before their error goes through, in milliseconds since the first failure. */
  readonly outage: number;
  /** Hints that there may be news, whatever they emit: each hurries the next read, to `HINT_GAP` after the last answer. */
  readonly notices?: Observable<unknown> | undefined;
  /** The clock and the timers of the loop. */
  readonly scheduler: SchedulerLike;
}

/**
 * Reads again and again. The delay to the next read begins with the answer, so that one read is in flight at a time, and a
 * slow answer still counts. Emits every answer. Never completes. Unsubscribing aborts the read in flight.
 */
export function poll<T>(
  read: () => Observable<T>,
  { delay, outage: patience, notices, scheduler }: PollLoopOptions<T>,
): Observable<T> {
  return defer(() => {
    const outage = new Outage(patience);
    let latest: T | undefined;
    /** Whether a hint came since the last read began: the answer to that read may be older than the news. */
    let hinted = false;
    /** Computes the delay before the next read when that delay begins; absent before the first read. */
    let nextDelay: (() => number) | undefined;

    const readOnce$ = defer(() => {
      hinted = false;
      return read();
    }).pipe(first());

    const untilNextRead = (hints$: Observable<unknown>, ms: number): Observable<unknown> => {
      const due$ = timer(ms, scheduler);
      // After a failure, the service is given its pause.
      if (!notices || outage.failures) return due$;
      const hurried$ = timer(Math.min(ms, HINT_GAP), scheduler).pipe(switchMap(() => (hinted ? of(0) : hints$)));
      return merge(due$, hurried$).pipe(take(1));
    };

    const accept = (value: T) => {
      latest = value;
      outage.end();
      nextDelay = () => clampDelay(delay(value, 0));
    };

    const fail = (error: unknown): Observable<never> => {
      if (!(error instanceof RunpodError && error.retryable)) return throwError(() => error);
      outage.addFailure(scheduler.now());
      const asked = Math.min(MAX_RETRY_AFTER, clampDelay(retryAfterMs(error)));
      const pause = Math.max(clampDelay(delay(latest, outage.failures)), asked);
      nextDelay = () => pause;
      return outage.allowsPause(pause) ? EMPTY : throwError(() => error);
    };

    const readRepeatedly = (hints$: Observable<unknown>): Observable<T> =>
      defer(() => (nextDelay ? untilNextRead(hints$, nextDelay()).pipe(switchMap(() => readOnce$)) : readOnce$)).pipe(
        tap(accept),
        catchError(fail),
        repeat(),
      );

    if (!notices) return readRepeatedly(EMPTY);
    // `connect` keeps one subscription to the notices for all reads. Where the notices fail, reading goes on without them.
    return notices.pipe(
      tap(() => (hinted = true)),
      catchError(() => EMPTY),
      connect(readRepeatedly),
    );
  });
}
